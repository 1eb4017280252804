#include "topology/files_digest.hpp"

#include <array>

#include <sodium/utils.h>

namespace harmony {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

sha256_digest::sha256_digest() : state_() {
  crypto_hash_sha256_init(&state_);
}

void sha256_digest::update(std::string_view bytes) {
  crypto_hash_sha256_update(&state_, bytes_of(bytes), bytes.size());
}

std::string sha256_digest::hex() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> raw{};
  crypto_hash_sha256_final(&state_, raw.data());
  std::string text(raw.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), raw.data(), raw.size());
  text.pop_back(); // the terminator
  return text;
}

std::string sha256_of(std::string_view bytes) {
  sha256_digest digest;
  digest.update(bytes);
  return digest.hex();
}

} // namespace harmony
