#include <array>

#include <sodium.h>

#include "model/manifest.hpp"

namespace harmony {

std::string sha256_hex(std::string_view bytes) {
  // Picks the fastest implementation, once and thread-safely. A failure concerns only the random
  // numbers, which hashing does not use.
  static const int ready = sodium_init();
  static_cast<void>(ready);
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text{};
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  return text.data();
}

} // namespace harmony
