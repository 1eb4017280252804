#include "trust/keys.hpp"

#include <algorithm>
#include <optional>

#include <sodium.h>

#include "model/base64.hpp"
#include "model/ids.hpp"
#include "model/manifest.hpp"

namespace harmony {

namespace {

constexpr std::string_view public_prefix = "ed25519:";
constexpr std::string_view secret_prefix = "ed25519-secret:";
constexpr std::size_t longest_line = 256;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view text_of(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

struct key_line {
  std::string bytes;
  std::string name;
};

/// `<prefix><base64 of 32 bytes> <name>`, exactly.
std::optional<key_line> read_line(std::string_view line, std::string_view prefix) {
  if (!line.empty() && line.back() == '\n')
    line.remove_suffix(1);
  if (line.size() > longest_line || line.rfind(prefix, 0) != 0)
    return {};
  line.remove_prefix(prefix.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !is_name(line.substr(space + 1)))
    return {};
  auto bytes = decode_base64(line.substr(0, space));
  if (!bytes || bytes->size() != secret_key::seed_size)
    return {};
  return key_line{std::move(*bytes), std::string{line.substr(space + 1)}};
}

} // namespace

std::string key_id_of(const public_key& key) {
  return sha256_hex(text_of(key.bytes.data(), key.bytes.size()));
}

outcome<named_key> read_public_key(std::string_view line) {
  auto read = read_line(line, public_prefix);
  if (!read)
    return {ec::invalid_spec, "expected a public key like \"ed25519:<44 characters of base64> "
                              "alice\", as 'harmonyctl key show' prints it"};
  named_key result;
  std::copy(read->bytes.begin(), read->bytes.end(), result.key.bytes.begin());
  if (crypto_core_ed25519_is_valid_point(result.key.bytes.data()) == 0)
    return {ec::invalid_spec, "the key of '" + read->name + "' is no Ed25519 public key"};
  result.name = std::move(read->name);
  return result;
}

std::string write_public_key(const named_key& key) {
  return std::string{public_prefix}
         + encode_base64(text_of(key.key.bytes.data(), key.key.bytes.size())) + " " + key.name;
}

secret_key::secret_key(std::string_view seed, std::string name) {
  public_.name = std::move(name);
  crypto_sign_seed_keypair(public_.key.bytes.data(), bytes_.data(), bytes_of(seed));
}

secret_key::~secret_key() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

std::string secret_key::sign(std::string_view message) const {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                       bytes_of(message), message.size(), bytes_.data());
  return signature;
}

std::string secret_key::text() const {
  auto seed = encode_base64(text_of(bytes_.data(), seed_size));
  auto line = std::string{secret_prefix}.append(seed).append(" ").append(public_.name);
  wipe(seed);
  return line;
}

outcome<secret_key> read_secret_key(std::string_view line) {
  auto read = read_line(line, secret_prefix);
  if (!read)
    return {ec::invalid_spec,
            "expected a secret key like \"ed25519-secret:<44 characters of base64> alice\", as "
            "'harmonyctl key generate' makes it"};
  secret_key key{read->bytes, std::move(read->name)};
  wipe(read->bytes);
  return key;
}

bool verifies(const public_key& key, std::string_view message,
              std::string_view signature) noexcept {
  return signature.size() == crypto_sign_BYTES
         && crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(),
                                        key.bytes.data())
              == 0;
}

} // namespace harmony
