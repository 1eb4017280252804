// What a device shows a NATS server: .creds files, JWTs, and keys as text.

#include <chrono>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sodium.h>

#include "fuzz.hpp"
#include "identity/base32.hpp"
#include "identity/jwt.hpp"
#include "identity/login.hpp"

namespace harmony::fuzz {

namespace {

/// Hands out the bytes as a file of this user's alone.
class secret_in_memory {
public:
  explicit secret_in_memory(std::string_view content)
    : fd_(::memfd_create("credentials", MFD_CLOEXEC)) {
    require(::fchmod(fd_, 0600) == 0, "nobody else may read it");
    require(::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "memory takes the input");
  }
  secret_in_memory(const secret_in_memory&) = delete;
  secret_in_memory& operator=(const secret_in_memory&) = delete;
  ~secret_in_memory() { ::close(fd_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
  int fd_;
};

void check_key(const signing_key& key) {
  const auto by = key.sign("m");
  require(by && verify_nkey(key.public_key(), "m", *by), "a key verifies what it signs");
}

void check_seed(std::string_view bytes) {
  const auto key = nkey_pair::from_seed(bytes);
  if (!key)
    return require(key.error().message == nkey_pair::from_seed("").error().message,
                   "no message tells a seed");
  require(key->seed() == bytes, "a seed is written as it was read");
  require(is_public_nkey(key->kind(), key->public_key()), "a public key is one");
  check_key(*key);
}

void check_login(std::string_view bytes) {
  const secret_in_memory file{bytes};
  const auto as = load_login({file.path(), {}});
  if (!as)
    return require(!as.error().message.empty(), "what is wrong is said");
  require(!as->jwt.empty() && as->key != nullptr, "credentials are a JWT and a key");
  check_key(*as->key);
}

std::string base64url(std::string_view data) {
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(data.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(data.data()),
                    data.size(), variant);
  text.pop_back(); // the terminator
  return text;
}

/// Claims of any kind, signed as they should be: whoever makes a JWT for themselves can do that.
void check_claims(std::string_view bytes) {
  static const auto issuer = nkey_pair::make(nkey_kind::account);
  auto claims = nlohmann::json::parse(bytes, nullptr, false);
  if (!claims.is_object())
    return;
  claims["iss"] = issuer.public_key();
  const auto body =
    base64url("{}") + "."
    + base64url(claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const auto by = *issuer.sign(body);
  const auto head =
    read_jwt(body + "." + base64url({reinterpret_cast<const char*>(by.data()), by.size()}));
  if (!head)
    return;
  using std::chrono::sys_seconds, std::chrono::seconds;
  constexpr sys_seconds first{}, last{seconds{253'402'300'799}};
  require(head->issued >= first && head->issued <= last, "a time is one of a calendar");
  require(!head->expires || (*head->expires >= first && *head->expires <= last),
          "an end is one of a calendar");
}

void check_jwt(std::string_view bytes) {
  const auto head = read_jwt(bytes);
  if (!head)
    return;
  auto changed = std::string{bytes};
  changed.front() = changed.front() == 'A' ? 'B' : 'A';
  require(!read_jwt(changed), "other bytes are not signed");
}

} // namespace

void take(std::string_view bytes) {
  check_claims(bytes);
  check_jwt(bytes);
  if (const auto data = from_base32(bytes))
    require(base32(*data) == bytes, "one value, one text");
  check_seed(bytes);
  check_login(bytes);
  for (const auto kind : {nkey_kind::user, nkey_kind::account, nkey_kind::operator_})
    require(!is_public_nkey(kind, bytes) || bytes.size() == 56, "a public key has 56 characters");
}

} // namespace harmony::fuzz
