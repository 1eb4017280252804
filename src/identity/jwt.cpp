#include "identity/jwt.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <nlohmann/json.hpp>
#include <sodium.h>

#include "identity/base32.hpp"

namespace harmony {

namespace {

using nlohmann::json;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view data) {
  std::string text(sodium_base64_encoded_len(data.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), raw(data), data.size(), variant);
  text.pop_back(); // the terminator
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string data(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(data.data()), data.size(), text.data(),
                        text.size(), nullptr, &size, &end, variant)
        != 0
      || end != text.data() + text.size())
    return std::nullopt;
  data.resize(size);
  return data;
}

// By which no two tokens are the same.
std::string id_of(const json& claims) {
  const auto text = claims.dump();
  bytes digest(crypto_hash_sha256_BYTES);
  crypto_hash_sha256(digest.data(), raw(text), text.size());
  return base32(digest);
}

/// Of a calendar's years; others would not survive to be reckoned with.
bool is_time(const json& claim) {
  constexpr std::uint64_t end_of_9999 = 253'402'300'799;
  return claim.is_number_unsigned() && claim.get<std::uint64_t>() <= end_of_9999;
}

sys_seconds time_of(const json& claim) {
  return sys_seconds{seconds{claim.get<std::int64_t>()}};
}

std::string text_of(const json& claims, const char* name) {
  const auto it = claims.find(name);
  return it != claims.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

} // namespace

outcome<std::string> sign_jwt(const signing_key& issuer, const jwt_head& head, const json& nats) {
  json claims{{"iat", head.issued.time_since_epoch().count()},
              {"iss", issuer.public_key()},
              {"name", head.name},
              {"sub", head.subject},
              {"nats", nats}};
  if (head.expires)
    claims["exp"] = head.expires->time_since_epoch().count();
  claims["jti"] = id_of(claims);
  const auto body = base64(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." + base64(claims.dump());
  const auto by = issuer.sign(body);
  if (!by)
    return by.error();
  return body + "." + base64({reinterpret_cast<const char*>(by->data()), by->size()});
}

outcome<jwt_claims> read_jwt_claims(std::string_view text) {
  const failure bad{ec::invalid_document, "this is no JWT of NATS"};
  const auto first = text.find('.');
  const auto second = text.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos)
    return bad;
  const auto body = from_base64(text.substr(first + 1, second - first - 1));
  const auto by = from_base64(text.substr(second + 1));
  const auto claims = body ? json::parse(*body, nullptr, false) : json();
  signature sealed{};
  if (!by || by->size() != sealed.size() || !claims.is_object())
    return bad;
  std::copy(by->begin(), by->end(), sealed.begin());
  if (!verify_nkey(text_of(claims, "iss"), text.substr(0, second), sealed))
    return failure{ec::invalid_document, "this JWT's signature is not its issuer's"};
  const auto issued = claims.find("iat");
  const auto expires = claims.find("exp");
  if (issued == claims.end() || !is_time(*issued)
      || (expires != claims.end() && !is_time(*expires)))
    return bad;
  jwt_head head{text_of(claims, "name"), text_of(claims, "sub"), time_of(*issued), {}};
  if (expires != claims.end())
    head.expires = time_of(*expires);
  return jwt_claims{std::move(head), text_of(claims, "iss"), claims.value("nats", json::object())};
}

outcome<jwt_head> read_jwt(std::string_view text) {
  const auto claims = read_jwt_claims(text);
  if (!claims)
    return claims.error();
  return claims->head;
}

} // namespace harmony
