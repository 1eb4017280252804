#include "identity/nkey.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <sodium.h>

#include "identity/base32.hpp"

namespace harmony {

namespace {

constexpr unsigned char seed_prefix = 18 << 3; // "S"
constexpr std::size_t key_bytes = 32;

void start_sodium() {
  static const int ready = sodium_init();
  if (ready < 0)
    throw std::runtime_error{"libsodium cannot be used: the system gives no random numbers"};
}

// CRC-16/XMODEM, as nkeys have it.
std::uint16_t crc_of(const bytes& data) {
  constexpr unsigned polynomial = 0x1021;
  unsigned crc = 0;
  for (const auto byte : data) {
    crc ^= static_cast<unsigned>(byte) << 8U;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ polynomial : crc << 1U;
  }
  return static_cast<std::uint16_t>(crc);
}

std::string with_crc(bytes data) {
  const auto crc = crc_of(data);
  data.push_back(static_cast<unsigned char>(crc & 0xffU));
  data.push_back(static_cast<unsigned char>(crc >> 8U));
  auto text = base32(data);
  sodium_memzero(data.data(), data.size());
  return text;
}

// What stands before the CRC, where that is right and the length is.
std::optional<bytes> without_crc(std::string_view text, std::size_t length) {
  auto data = from_base32(text);
  if (!data || data->size() != length + 2)
    return std::nullopt;
  const auto said = static_cast<std::uint16_t>((*data)[length] | (*data)[length + 1] << 8U);
  data->resize(length);
  if (crc_of(*data) != said)
    return std::nullopt;
  return data;
}

bool is_kind(unsigned prefix) {
  return prefix == static_cast<unsigned>(nkey_kind::operator_)
         || prefix == static_cast<unsigned>(nkey_kind::account)
         || prefix == static_cast<unsigned>(nkey_kind::user);
}

} // namespace

bool is_public_nkey(nkey_kind kind, std::string_view text) {
  const auto data = without_crc(text, 1 + key_bytes);
  return data && data->front() == static_cast<unsigned char>(kind);
}

nkey_pair::nkey_pair(nkey_kind kind, const raw_seed& seed) : kind_(kind) {
  start_sodium();
  crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
}

nkey_pair::~nkey_pair() {
  sodium_memzero(secret_.data(), secret_.size());
}

nkey_pair nkey_pair::make(nkey_kind kind) {
  start_sodium();
  raw_seed seed{};
  randombytes_buf(seed.data(), seed.size());
  nkey_pair made{kind, seed};
  sodium_memzero(seed.data(), seed.size());
  return made;
}

// The kind is spread over the low bits of the first byte and the high ones of the second, so that
// it is the text's second letter.
outcome<nkey_pair> nkey_pair::from_seed(std::string_view text) {
  auto data = without_crc(text, 2 + key_bytes);
  const auto kind =
    data ? ((data->at(0) & 7U) << 5U) | static_cast<unsigned>(data->at(1) >> 3U) : 0U;
  if (!data || (data->at(0) & 0xf8U) != seed_prefix || (data->at(1) & 7U) != 0 || !is_kind(kind))
    return failure{ec::invalid_spec, "this is no seed of an nkey (\"SU…\", 58 characters)"};
  raw_seed seed{};
  std::copy(data->begin() + 2, data->end(), seed.begin());
  nkey_pair made{static_cast<nkey_kind>(kind), seed};
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(data->data(), data->size());
  return made;
}

std::string nkey_pair::public_key() const {
  bytes data{static_cast<unsigned char>(kind_)};
  data.insert(data.end(), public_.begin(), public_.end());
  return with_crc(std::move(data));
}

std::string nkey_pair::seed() const {
  const auto kind = static_cast<unsigned>(kind_);
  bytes data{static_cast<unsigned char>(seed_prefix | (kind >> 5U)),
             static_cast<unsigned char>((kind & 31U) << 3U)};
  data.insert(data.end(), secret_.begin(), secret_.begin() + key_bytes);
  return with_crc(std::move(data));
}

outcome<signature> nkey_pair::sign(std::string_view message) const {
  signature made{};
  crypto_sign_detached(made.data(), nullptr, reinterpret_cast<const unsigned char*>(message.data()),
                       message.size(), secret_.data());
  return made;
}

bool verify_nkey(std::string_view signed_by, std::string_view message, const signature& by) {
  start_sodium();
  const auto data = without_crc(signed_by, 1 + key_bytes);
  return data && is_kind(data->front())
         && crypto_sign_verify_detached(by.data(),
                                        reinterpret_cast<const unsigned char*>(message.data()),
                                        message.size(), data->data() + 1)
              == 0;
}

} // namespace harmony
