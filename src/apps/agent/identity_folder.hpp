#pragma once

#include <optional>
#include <string>

#include "identity/nkey.hpp"

namespace harmony {

/// The settings that an enrolment brought, as a file like agent.toml; whatever says otherwise wins.
std::string enrolled_settings(const std::string& state_dir);

/// What an enrolment brought, for `enrolled_settings`.
struct enrolled_identity {
  std::string agent_id;
  std::string store;
  std::string ca_file; ///< empty: the system's
  std::string jwt;     ///< empty: the server knows the key itself
};

/// Who this device is by its enrolment: a folder of mode 0700 in the agent's own. At each moment it
/// has one identity, the former or the new one:
///
///     pending.nk      a key that asks to be let in; made first, gone last
///     device.creds    the identity in force (operator mode), or device.nk (static keys)
///     ca-HASH.pem     what the server's certificate must descend from
///     enrolled.toml   names the others; the agent reads it
///
/// A key in a TPM would have its JWT alone here: all but `adopt` needs no more than a signing_key.
class identity_folder {
public:
  explicit identity_folder(const std::string& state_dir);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// The key that asks; nothing where there is none.
  [[nodiscard]] outcome<std::optional<nkey_pair>> pending() const;
  /// Makes one where there is none but the one in force.
  [[nodiscard]] outcome<nkey_pair> make_pending() const;
  /// The next that asks is a new one.
  [[nodiscard]] outcome<void> drop_pending() const;
  /// The key in force; nothing before the first enrolment.
  [[nodiscard]] outcome<std::optional<nkey_pair>> current() const;

  /// Gives the file; that of the identity in force is left as it is.
  [[nodiscard]] outcome<std::string> keep_ca(const std::string& pem) const;

  /// Puts `key` in force. Interrupted anywhere, it is done by doing it again.
  [[nodiscard]] outcome<void> adopt(const nkey_pair& key, const enrolled_identity& as) const;

private:
  [[nodiscard]] outcome<void> make_folders() const;
  [[nodiscard]] std::string in(const char* name) const { return path_ + "/" + name; }

  std::string path_;
};

} // namespace harmony
