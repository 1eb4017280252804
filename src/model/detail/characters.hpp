#pragma once

// Sets of characters, and what texts are made of. For the predicates and formats alone.

#include <algorithm>
#include <string_view>

namespace harmony::detail {

inline constexpr auto npos = std::string_view::npos;
inline constexpr std::string_view digits = "0123456789";
inline constexpr std::string_view hex = "0123456789abcdef";
inline constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
inline constexpr std::string_view base64_digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

inline bool has(std::string_view set, char c) noexcept {
  return set.find(c) != npos;
}
inline bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
inline bool is_alnum(char c) noexcept {
  return is_letter(c) || is_digit(c);
}
inline bool is_lower_alnum(char c) noexcept {
  return has(lower, c) || is_digit(c);
}
/// Printable ASCII without the space.
inline bool is_graphic(char c) noexcept {
  return c >= '!' && c <= '~';
}

template <class Predicate>
bool all(std::string_view text, Predicate is) noexcept {
  return std::all_of(text.begin(), text.end(), is);
}
inline bool only(std::string_view text, std::string_view set) noexcept {
  return text.find_first_not_of(set) == npos;
}

/// Calls `visit` with each part of `text` between separators; false as soon as it says false.
template <class Visit>
bool split(std::string_view text, char separator, Visit visit) noexcept {
  for (;;) {
    const auto end = text.find(separator);
    if (!visit(text.substr(0, end)))
      return false;
    if (end == npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

/// One character of `first`, then at most `rest` of `others`.
template <class First, class Others>
bool word(std::string_view text, First first, Others others, std::size_t rest) noexcept {
  return !text.empty() && first(text.front()) && text.size() - 1 <= rest
         && all(text.substr(1), others);
}

} // namespace harmony::detail
