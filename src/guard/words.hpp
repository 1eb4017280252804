#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

namespace harmony::guard {

/// Takes the first word off `text`, and the space behind it.
inline std::string_view next_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

/// Reads a number that is all of `text`; false where it is none.
template <class Number>
bool read_number(std::string_view text, Number& to) {
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, to);
  return error == std::errc{} && at == end;
}

} // namespace harmony::guard
