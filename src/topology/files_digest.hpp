#pragma once

#include <string>
#include <string_view>

#include <sodium/crypto_hash_sha256.h>

namespace harmony {

/// SHA-256 of bytes that come in pieces.
class sha256_digest {
public:
  sha256_digest();

  void update(std::string_view bytes);

  /// 64 lower-case hexadecimal digits. To be called once.
  std::string hex();

private:
  crypto_hash_sha256_state state_;
};

/// SHA-256 of `bytes` in hexadecimal.
std::string sha256_of(std::string_view bytes);

} // namespace harmony
