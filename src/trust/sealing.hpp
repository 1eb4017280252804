#pragma once

// Secrets that travel in a manifest, encrypted to the one device that may have them: libsodium's
// sealed boxes (X25519, XSalsa20-Poly1305). The key signs nothing and logs in nowhere: it only
// opens these.
//
//   x25519:<base64 of the 32 bytes>           public, may be shown to anybody
//   x25519-secret:<base64 of the 32 bytes>    secret, the file of the device
//
// What is sealed begins with a line that says for what:
//
//   harmony/v1 secret                    any use on this device
//   harmony/v1 secret for Container/db   only this resource
//
// so that a box of another protocol is never taken for one of these, and who may write another
// resource of the device cannot have the secret shown there.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "model/secret.hpp"

namespace harmony {

struct sealing_public {
  std::array<unsigned char, 32> bytes{};

  friend bool operator==(const sealing_public&, const sealing_public&) = default;
};

/// "x25519:…", and back. Fails with invalid_spec.
std::string write_sealing_public(const sealing_public& key);
outcome<sealing_public> read_sealing_public(std::string_view text);

/// For people to compare: half of the SHA-256 of the key's bytes, in groups of four digits.
std::string fingerprint_of(const sealing_public& key);

/// Seals `secret` to the device whose key this is, for the use of one resource or of any; gives the
/// text of `sealed` in a manifest. Fails with invalid_spec for a key that no device can have.
outcome<std::string> seal(const sealing_public& to, std::string_view secret,
                          const std::optional<resource_id>& only_for);

/// The device's own key. Its bytes are wiped when it goes.
class sealing_key {
public:
  static sealing_key generate();

  /// Reads its text, a line break at the end or not. Fails with invalid_spec; the message never has
  /// the text in it.
  static outcome<sealing_key> read(std::string_view text);

  sealing_key(const sealing_key&) = default;
  sealing_key& operator=(const sealing_key&) = default;
  ~sealing_key();

  [[nodiscard]] const sealing_public& pub() const noexcept { return public_; }

  /// "x25519-secret:…".
  [[nodiscard]] secret_bytes text() const;

  /// Opens what was sealed for the use of `user`. Fails with secret_unavailable.
  [[nodiscard]] outcome<secret_bytes> open(std::string_view sealed, const resource_id& user) const;

  /// Tells equal values from different ones, to this device alone: a keyed hash, so that nobody
  /// else can try what value it is of. 32 hexadecimal digits.
  [[nodiscard]] std::string mark(std::string_view value) const;

private:
  explicit sealing_key(const std::array<unsigned char, 32>& bytes);

  std::array<unsigned char, 32> bytes_;
  sealing_public public_;
};

} // namespace harmony
