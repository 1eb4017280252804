#include "postgres/conf.hpp"

#include <algorithm>

namespace harmony::postgres {

namespace {

constexpr std::string_view spaces = " \t\r";

/// Calls `each` with every line, without its end.
template <class Function>
void for_lines(std::string_view text, Function each) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    each(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// The name at the beginning of a line, in lower case; the rest of the line stays behind it.
std::string take_name(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(spaces), line.size()));
  const auto end = std::min(line.find_first_of(" \t\r='#"), line.size());
  auto name = lower(line.substr(0, end));
  line.remove_prefix(end);
  return name;
}

std::string value_in(std::string_view rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r="), rest.size()));
  if (rest.empty() || rest.front() != '\'')
    return std::string{rest.substr(0, rest.find_first_of(" \t\r#"))};
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const bool pair = i + 1 < rest.size() && (rest[i] == '\\' || rest.substr(i, 2) == "''");
    if (rest[i] == '\'' && !pair)
      break;
    value += rest[pair ? ++i : i];
  }
  return value;
}

} // namespace

std::string lower(std::string_view text) {
  std::string all{text};
  std::transform(all.begin(), all.end(), all.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return all;
}

std::string write_setting(std::string_view name, std::string_view value) {
  std::string text = std::string{name} + " = '";
  for (const char c : value) {
    if (c == '\'' || c == '\\')
      text += c;
    text += c;
  }
  return text + "'\n";
}

std::optional<std::string> setting_of(std::string_view text, std::string_view name) {
  std::optional<std::string> found;
  for_lines(text, [&](std::string_view line) {
    if (take_name(line) == lower(name))
      found = value_in(line);
  });
  return found;
}

std::string without_settings(std::string_view text, const std::set<std::string>& names) {
  std::string kept;
  for_lines(text, [&](std::string_view line) {
    auto rest = line;
    if (names.count(take_name(rest)) == 0)
      kept.append(line).append("\n");
  });
  return kept;
}

std::string with_include(std::string_view text, std::string_view file) {
  const auto last = "include '" + std::string{file} + "'";
  std::string kept;
  for_lines(text, [&](std::string_view line) {
    if (line != last)
      kept.append(line).append("\n");
  });
  return kept + last + "\n";
}

} // namespace harmony::postgres
