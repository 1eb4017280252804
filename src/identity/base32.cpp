#include "identity/base32.hpp"

namespace harmony {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned bits_a_digit = 5;

} // namespace

std::string base32(const bytes& data) {
  std::string text;
  unsigned held = 0;
  unsigned bits = 0;
  for (const auto byte : data) {
    held = (held << 8U) | byte;
    for (bits += 8; bits >= bits_a_digit; bits -= bits_a_digit)
      text += alphabet[(held >> (bits - bits_a_digit)) & 31U];
    held &= 31U;
  }
  if (bits > 0)
    text += alphabet[(held << (bits_a_digit - bits)) & 31U];
  return text;
}

std::optional<bytes> from_base32(std::string_view text) {
  bytes data;
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos)
      return std::nullopt;
    held = ((held << bits_a_digit) | static_cast<unsigned>(digit)) & 0xfffU;
    bits += bits_a_digit;
    if (bits >= 8) {
      bits -= 8;
      data.push_back(static_cast<unsigned char>(held >> bits));
    }
  }
  if (bits >= bits_a_digit || (held & ((1U << bits) - 1U)) != 0)
    return std::nullopt;
  return data;
}

} // namespace harmony
