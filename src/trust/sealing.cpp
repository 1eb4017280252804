#include "trust/sealing.hpp"

#include <algorithm>

#include <sodium.h>

#include "model/base64.hpp"
#include "model/manifest.hpp"

namespace harmony {

namespace {

constexpr std::string_view public_prefix = "x25519:";
constexpr std::string_view secret_prefix = "x25519-secret:";
constexpr std::string_view any_use = "harmony/v1 secret";
constexpr std::string_view one_use = "harmony/v1 secret for ";

using key_bytes = std::array<unsigned char, 32>;
static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);
static_assert(crypto_kdf_KEYBYTES == 32);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// The 32 bytes behind `prefix`, a line break after them or not.
std::optional<key_bytes> read_key(std::string_view text, std::string_view prefix) {
  if (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  if (text.substr(0, prefix.size()) != prefix)
    return {};
  auto decoded = decode_base64(text.substr(prefix.size()));
  if (!decoded || decoded->size() != std::tuple_size_v<key_bytes>)
    return {};
  key_bytes bytes{};
  std::copy(decoded->begin(), decoded->end(), bytes.begin());
  wipe(*decoded);
  return bytes;
}

std::string_view view_of(const key_bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

failure unavailable(const std::string& why) {
  return {ec::secret_unavailable, "the sealed secret " + why};
}

} // namespace

// -- public --------------------------------------------------------------------------------------

std::string write_sealing_public(const sealing_public& key) {
  return std::string{public_prefix} + encode_base64(view_of(key.bytes));
}

outcome<sealing_public> read_sealing_public(std::string_view text) {
  if (const auto bytes = read_key(text, public_prefix))
    return sealing_public{*bytes};
  return {ec::invalid_spec, "expected a sealing key such as \"x25519:<44 characters>\", as "
                            "`harmony-agent key` prints it"};
}

std::string fingerprint_of(const sealing_public& key) {
  const auto hash = sha256_hex(view_of(key.bytes));
  std::string text;
  for (std::size_t i = 0; i < hash.size() / 2; i += 4)
    text += (i == 0 ? "" : " ") + hash.substr(i, 4);
  return text;
}

outcome<std::string> seal(const sealing_public& to, std::string_view secret,
                          const std::optional<resource_id>& only_for) {
  if (sodium_init() < 0)
    return {ec::internal, "no random numbers on this machine"};
  std::string plain;
  plain.reserve(one_use.size() + 128 + secret.size()); // no growth that leaves copies behind
  plain += only_for ? std::string{one_use} + only_for->str() : std::string{any_use};
  plain += '\n';
  plain += secret;
  std::string box(plain.size() + crypto_box_SEALBYTES, '\0');
  const auto done = crypto_box_seal(bytes_of(box), bytes_of(std::string_view{plain}), plain.size(),
                                    to.bytes.data());
  wipe(plain);
  if (done != 0)
    return {ec::invalid_spec, "nothing can be sealed to this key: it is of no device"};
  return encode_base64(box);
}

// -- secret --------------------------------------------------------------------------------------

sealing_key::sealing_key(const key_bytes& bytes) : bytes_(bytes) {
  crypto_scalarmult_base(public_.bytes.data(), bytes_.data());
}

sealing_key::~sealing_key() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

sealing_key sealing_key::generate() {
  static const int ready = sodium_init(); // without random numbers the next call ends the process
  static_cast<void>(ready);
  key_bytes bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  sealing_key key{bytes};
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

outcome<sealing_key> sealing_key::read(std::string_view text) {
  auto bytes = read_key(text, secret_prefix);
  if (!bytes)
    return {ec::invalid_spec, "it is no sealing key"};
  sealing_key key{*bytes};
  sodium_memzero(bytes->data(), bytes->size());
  return key;
}

secret_bytes sealing_key::text() const {
  auto encoded = encode_base64(view_of(bytes_));
  std::string text;
  text.reserve(secret_prefix.size() + encoded.size());
  text.append(secret_prefix).append(encoded);
  wipe(encoded);
  return secret_bytes{std::move(text)};
}

outcome<secret_bytes> sealing_key::open(std::string_view sealed, const resource_id& user) const {
  const auto box = decode_base64(sealed);
  if (!box || box->size() < crypto_box_SEALBYTES)
    return unavailable("is cut off; seal it again");
  std::string plain(box->size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(bytes_of(plain), bytes_of(*box), box->size(), public_.bytes.data(),
                           bytes_.data())
      != 0)
    return unavailable(
      "was sealed for another device, or for an earlier key of this one (its own is "
      + fingerprint_of(public_) + "); seal it again: harmonyctl seal");
  const secret_bytes whole{std::move(plain)};
  const auto text = whole.reveal();
  const auto line = text.substr(0, text.find('\n'));
  if (line.size() == text.size() || (line != any_use && line.substr(0, one_use.size()) != one_use))
    return unavailable("was not made by `harmonyctl seal`");
  if (line != any_use && line.substr(one_use.size()) != user.str())
    return unavailable("was sealed for the use of another resource alone; seal it for "
                       + user.str());
  return secret_bytes{std::string{text.substr(line.size() + 1)}};
}

std::string sealing_key::mark(std::string_view value) const {
  key_bytes key{};
  crypto_kdf_derive_from_key(key.data(), key.size(), 1, "hrm-mark", bytes_.data());
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), bytes_of(value), value.size(), key.data(),
                     key.size());
  sodium_memzero(key.data(), key.size());
  std::array<char, 2 * crypto_generichash_BYTES_MIN + 1> text{};
  sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  return text.data();
}

} // namespace harmony
