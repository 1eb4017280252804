#include "model/secret.hpp"

#include <sodium/utils.h>

namespace harmony {

void wipe(std::string& text) noexcept {
  text.resize(text.capacity()); // without an allocation: what lies behind the end goes too
  sodium_memzero(text.data(), text.size());
  text.clear();
}

secret_bytes::secret_bytes(std::string&& bytes) {
  bytes_.swap(bytes);
  wipe(bytes); // a short one was copied
}

secret_bytes::secret_bytes(secret_bytes&& other) noexcept {
  bytes_.swap(other.bytes_);
  wipe(other.bytes_);
}

secret_bytes& secret_bytes::operator=(const secret_bytes& other) {
  if (this != &other)
    *this = secret_bytes{other};
  return *this;
}

secret_bytes& secret_bytes::operator=(secret_bytes&& other) noexcept {
  if (this != &other) {
    bytes_.swap(other.bytes_);
    wipe(other.bytes_);
  }
  return *this;
}

secret_bytes::~secret_bytes() {
  wipe(bytes_);
}

std::string secret_ref::str() const {
  switch (from) {
  case secret_source::file: return "secret file '" + what + "'";
  case secret_source::credential: return "credential '" + what + "'";
  case secret_source::sealed: break;
  }
  return "the sealed secret";
}

} // namespace harmony
