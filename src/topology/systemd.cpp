#include "topology/systemd.hpp"

#include <algorithm>
#include <array>

namespace harmony {

namespace {

constexpr std::array<std::string_view, 11> unit_suffixes = {
  ".service",   ".socket", ".target", ".timer",  ".path", ".mount",
  ".automount", ".swap",   ".slice",  ".device", ".scope"};

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_unit_char(char c) {
  return is_alnum(c) || std::string_view{":-_.\\@"}.find(c) != std::string_view::npos;
}

} // namespace

std::string_view name_of(unit_job j) noexcept {
  switch (j) {
  case unit_job::start: return "start";
  case unit_job::stop: return "stop";
  case unit_job::restart: return "restart";
  }
  return "start";
}

bool is_unit_name(std::string_view text) noexcept {
  if (text.size() > 255 || !std::all_of(text.begin(), text.end(), is_unit_char))
    return false;
  // "@" parts a template from its instance, so it cannot come first.
  if (text.empty() || text.front() == '.' || text.front() == '@')
    return false;
  return std::any_of(unit_suffixes.begin(), unit_suffixes.end(), [&](std::string_view s) {
    return text.size() > s.size() && text.substr(text.size() - s.size()) == s;
  });
}

std::string unit_object_path(std::string_view unit) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string path = "/org/freedesktop/systemd1/unit/";
  bool first = true;
  for (const char c : unit) {
    if (is_alnum(c) && !(first && c >= '0' && c <= '9')) {
      path += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      path += '_';
      path += hex[byte >> 4U];
      path += hex[byte & 0xfU];
    }
    first = false;
  }
  return path;
}

} // namespace harmony
