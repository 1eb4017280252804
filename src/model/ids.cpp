#include "model/ids.hpp"

#include <algorithm>

namespace harmony {

namespace {

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

bool is_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 63)
    return false;
  if (!is_lower_alnum(text.front()) || !is_lower_alnum(text.back()))
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '-' || is_lower_alnum(c); });
}

bool parse_resource_id(std::string_view text, resource_id& out) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash > 63)
    return false;
  const auto kind = text.substr(0, slash);
  const auto name = text.substr(slash + 1);
  if (!std::all_of(kind.begin(), kind.end(), is_alpha) || !is_name(name))
    return false;
  out = {std::string{kind}, std::string{name}};
  return true;
}

} // namespace harmony
