#include "model/base64.hpp"

#include <array>
#include <cstdint>

#include <sodium/utils.h>

namespace harmony {

namespace {

constexpr std::string_view letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr unsigned char none = 0xFF;

using digit_table = std::array<unsigned char, 256>;

/// The value of each digit; none: it is no digit.
constexpr digit_table table_of(char digit_62, char digit_63) {
  digit_table table{};
  table.fill(none);
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = static_cast<unsigned char>(i);
  table[static_cast<unsigned char>(digit_62)] = 62;
  table[static_cast<unsigned char>(digit_63)] = 63;
  return table;
}

constexpr auto standard_table = table_of('+', '/');
constexpr auto url_safe_table = table_of('-', '_');

} // namespace

// Not libsodium's: that of 1.0.18 takes every byte above 0x7F for a digit where char is signed, and
// costs three times as much, being made for secrets.
std::optional<std::string> decode_base64(std::string_view text, base64_alphabet alphabet) {
  const auto& table = alphabet == base64_alphabet::url_safe ? url_safe_table : standard_table;
  if (text.size() % 4 != 0)
    return std::nullopt;
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding)
    text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0; // those not yet taken, in the lowest `count`
  unsigned count = 0;
  for (const char c : text) {
    const auto value = table[static_cast<unsigned char>(c)];
    if (value == none)
      return std::nullopt;
    bits = bits << 6U | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xFFU));
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0)
    return std::nullopt;
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back(); // the terminator
  return text;
}

} // namespace harmony
