#pragma once

// Ed25519 keys of the people who sign manifests, and their text. A line each:
//
//   ed25519:<base64 of the 32 bytes> <name>           public, may be shown to anybody
//   ed25519-secret:<base64 of the seed> <name>        secret

#include <array>
#include <string>
#include <string_view>

#include "model/outcome.hpp"
#include "model/secret.hpp"

namespace harmony {

struct public_key {
  std::array<unsigned char, 32> bytes{};

  friend bool operator==(const public_key&, const public_key&) = default;
};

/// A public key and what people call it: a name like a resource's.
struct named_key {
  public_key key;
  std::string name;

  friend bool operator==(const named_key&, const named_key&) = default;
};

/// By which an envelope names a key: the hexadecimal SHA-256 of its 32 bytes.
std::string key_id_of(const public_key& key);

/// Reads the line of a public key, its line break at the end or not. Fails with invalid_spec, also
/// for bytes that are no point of the curve's main group: under some of those anything verifies.
outcome<named_key> read_public_key(std::string_view line);

/// The line, without a line break.
std::string write_public_key(const named_key& key);

/// A secret key. Its bytes are wiped when it goes.
class secret_key {
public:
  static constexpr std::size_t seed_size = 32;

  /// The key of a seed, which is all that is secret. Precondition: `seed` has seed_size bytes.
  secret_key(std::string_view seed, std::string name);
  secret_key(const secret_key&) = default;
  secret_key& operator=(const secret_key&) = default;
  ~secret_key();

  [[nodiscard]] const named_key& pub() const noexcept { return public_; }

  /// The 64 bytes of the signature of `message` (RFC 8032, Ed25519).
  [[nodiscard]] std::string sign(std::string_view message) const;

  /// The line, without a line break. To be wiped by whoever asks.
  [[nodiscard]] std::string text() const;

private:
  std::array<unsigned char, 64> bytes_{}; ///< the seed, then the public key
  named_key public_;
};

/// Reads the line of a secret key. Fails with invalid_spec; the message never has the line in it.
outcome<secret_key> read_secret_key(std::string_view line);

/// Whether `signature` is one of `message` by `key`.
bool verifies(const public_key& key, std::string_view message, std::string_view signature) noexcept;

} // namespace harmony
