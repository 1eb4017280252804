#include "transport/nats_login.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace harmony::nats {

namespace {

char* library_copy(const std::string& text) {
  return ::strdup(text.c_str()); // the library frees it
}

natsStatus on_jwt(char** jwt, char** /*error*/, void* as) {
  *jwt = library_copy(static_cast<const login*>(as)->jwt);
  return *jwt == nullptr ? NATS_NO_MEMORY : NATS_OK;
}

natsStatus on_nonce(char** error, unsigned char** signed_nonce, int* length, const char* nonce,
                    void* as) {
  const auto made = static_cast<const login*>(as)->key->sign(nonce);
  if (!made) {
    *error = library_copy(made.error().message);
    return NATS_ERR;
  }
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): the library frees it
  *signed_nonce = static_cast<unsigned char*>(std::malloc(made->size()));
  if (*signed_nonce == nullptr)
    return NATS_NO_MEMORY;
  std::copy(made->begin(), made->end(), *signed_nonce);
  *length = static_cast<int>(made->size());
  return NATS_OK;
}

} // namespace

natsStatus set_login(natsOptions* options, const login* as) {
  auto* const closure = const_cast<login*>(as); // NOLINT(cppcoreguidelines-pro-type-const-cast): C
  if (!as->jwt.empty())
    return natsOptions_SetUserCredentialsCallbacks(options, on_jwt, closure, on_nonce, closure);
  if (as->key)
    return natsOptions_SetNKey(options, as->key->public_key().c_str(), on_nonce, closure);
  return NATS_OK;
}

} // namespace harmony::nats
