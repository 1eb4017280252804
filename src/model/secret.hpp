#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace harmony {

/// Bytes of a secret. They are wiped when they go, each copy of them; there is no way to print them
/// but by `reveal`.
class secret_bytes {
public:
  secret_bytes() = default;
  /// Takes the text over, and wipes what is left of it.
  explicit secret_bytes(std::string&& bytes);
  secret_bytes(const secret_bytes&) = default;
  secret_bytes(secret_bytes&& other) noexcept;
  secret_bytes& operator=(const secret_bytes& other);
  secret_bytes& operator=(secret_bytes&& other) noexcept;
  ~secret_bytes();

  /// The secret itself: for the thing that it is meant for, and nothing else.
  [[nodiscard]] std::string_view reveal() const noexcept { return bytes_; }

  friend bool operator==(const secret_bytes&, const secret_bytes&) = default;

private:
  std::string bytes_;
};

/// Overwrites all that `text` has in memory, and leaves it empty.
void wipe(std::string& text) noexcept;

/// Where the value of a secret comes from; see docs/secrets.md.
enum class secret_source {
  file,       ///< a file of that name in the device's folder of secrets
  credential, ///< a systemd credential of the agent's service
  sealed,     ///< the value itself, encrypted to the device's sealing key
};

/// Stands in a manifest in place of a secret.
struct secret_ref {
  secret_source from = secret_source::file;
  std::string what; ///< the name; of a sealed one the ciphertext, as base64
  /// The value, in the hands of an operation on the device. No document has it: it is neither read
  /// nor written nor hashed.
  std::optional<secret_bytes> value = {};

  /// "file 'db-password'", "credential 'db'", "the sealed secret": for messages.
  [[nodiscard]] std::string str() const;

  friend bool operator==(const secret_ref&, const secret_ref&) = default;
};

/// The most that a secret may have.
inline constexpr std::size_t max_secret_bytes = std::size_t{1} << 20;

} // namespace harmony
