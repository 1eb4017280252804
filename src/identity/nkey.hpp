#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace harmony {

/// Whose key it is; the first letter of its text says so.
enum class nkey_kind : std::uint8_t {
  operator_ = 14 << 3, ///< "O…"
  account = 0,         ///< "A…"
  user = 20 << 3,      ///< "U…"
};

using signature = std::array<unsigned char, 64>;

/// Whether `text` is the public nkey of that kind: base32 of the kind, an Ed25519 key and a CRC.
bool is_public_nkey(nkey_kind kind, std::string_view text);

/// What signs for a device. A key in a file today; a TPM can stand behind the same two functions,
/// for the key itself is never asked for.
class signing_key {
public:
  virtual ~signing_key() = default;
  /// The public nkey, such as "UABC…": 56 characters.
  [[nodiscard]] virtual std::string public_key() const = 0;
  [[nodiscard]] virtual outcome<signature> sign(std::string_view message) const = 0;
};

/// An Ed25519 key pair in memory, as NATS writes it. The secret is wiped when it goes.
class nkey_pair final : public signing_key {
public:
  static nkey_pair make(nkey_kind kind);
  /// From its seed, such as "SUABC…"; fails with invalid_spec, without naming the seed.
  static outcome<nkey_pair> from_seed(std::string_view text);

  nkey_pair(const nkey_pair&) = default;
  nkey_pair& operator=(const nkey_pair&) = default;
  ~nkey_pair() override;

  [[nodiscard]] nkey_kind kind() const noexcept { return kind_; }
  [[nodiscard]] std::string public_key() const override;
  [[nodiscard]] std::string seed() const; ///< the secret, as text
  [[nodiscard]] outcome<signature> sign(std::string_view message) const override;

private:
  using raw_seed = std::array<unsigned char, 32>;
  nkey_pair(nkey_kind kind, const raw_seed& seed);

  nkey_kind kind_;
  std::array<unsigned char, 32> public_{};
  std::array<unsigned char, 64> secret_{}; // the seed, and the public key after it
};

/// Whether `signed_by`, a public nkey of any kind, signed `message`.
bool verify_nkey(std::string_view signed_by, std::string_view message, const signature& by);

} // namespace harmony
