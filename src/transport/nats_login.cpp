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
  *jwt = library_copy(static_cast<const login_attempt*>(as)->as->jwt);
  return *jwt == nullptr ? NATS_NO_MEMORY : NATS_OK;
}

natsStatus on_nonce(char** error, unsigned char** signed_nonce, int* length, const char* nonce,
                    void* as) {
  auto& attempt = *static_cast<login_attempt*>(as);
  const auto made = attempt.as->key->sign(nonce);
  if (!made) {
    *error = library_copy(made.error().message);
    return NATS_ERR;
  }
  // cnats 3.4.1 takes a signature that begins with a zero byte for none, and sends none: one of 256
  // log-ins would be refused.
  attempt.unsendable = made->front() == 0;
  if (attempt.unsendable) {
    *error = library_copy("the client library cannot send this signature");
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

natsStatus set_login(natsOptions* options, login_attempt* attempt) {
  const auto& as = *attempt->as;
  if (!as.jwt.empty())
    return natsOptions_SetUserCredentialsCallbacks(options, on_jwt, attempt, on_nonce, attempt);
  if (as.key)
    return natsOptions_SetNKey(options, as.key->public_key().c_str(), on_nonce, attempt);
  return NATS_OK;
}

natsStatus connect(natsConnection** made, natsOptions* options, login_attempt& attempt) {
  constexpr int most = 3; // a server that always asks the same is none of ours
  auto status = NATS_ERR;
  for (int i = 0; i < most && (i == 0 || attempt.unsendable); ++i) {
    attempt.unsendable = false;
    status = natsConnection_Connect(made, options);
  }
  return status;
}

} // namespace harmony::nats
