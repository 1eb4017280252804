#include "core/unit_text.hpp"

#include <algorithm>

namespace harmony {

namespace {

constexpr std::string_view blanks = " \t\n\r";
constexpr auto npos = std::string_view::npos;
using std::literals::operator""sv;

std::string_view without_leading(std::string_view text, std::string_view what) {
  const auto at = text.find_first_not_of(what);
  return at == npos ? std::string_view{} : text.substr(at);
}

std::string_view trimmed(std::string_view text) {
  text = without_leading(text, blanks);
  const auto last = text.find_last_not_of(blanks);
  return last == npos ? std::string_view{} : text.substr(0, last + 1);
}

/// Whether the last character is a backslash that is not escaped itself.
bool goes_on(std::string_view line) {
  bool escaped = false;
  for (const char c : line)
    escaped = !escaped && c == '\\';
  return escaped;
}

/// Takes a whole line, which may have been several.
void take(std::string_view line, std::string& section, std::vector<unit_assignment>& into) {
  line = trimmed(line);
  if (line.empty())
    return;
  if (line.front() == '[') {
    section = line.back() == ']' ? line.substr(1, line.size() - 2) : std::string_view{};
    return;
  }
  const auto equals = line.find('=');
  if (equals != npos)
    into.push_back({section, std::string{trimmed(line.substr(0, equals))},
                    std::string{trimmed(line.substr(equals + 1))}});
}

/// Takes the next line off `text`. As systemd's read_line(), several different line ends in a row
/// are one, and nothing follows a NUL.
std::string_view next_line(std::string_view& text) {
  constexpr auto line_ends = "\n\r\0"sv;
  auto at = std::min(text.find_first_of(line_ends), text.size());
  const auto line = text.substr(0, at);
  std::string seen;
  while (at < text.size() && line_ends.find(text[at]) != npos && seen.find(text[at]) == npos) {
    seen += text[at++];
    if (seen.back() == '\0')
      break;
  }
  text.remove_prefix(at);
  return line;
}

} // namespace

std::vector<unit_assignment> read_unit_text(std::string_view text) {
  constexpr auto mark = "\xEF\xBB\xBF"sv; // of UTF-8: skipped once, wherever a line begins with it
  std::vector<unit_assignment> result;
  std::string section;
  std::string whole;
  bool marked = false;
  while (!text.empty()) {
    auto line = next_line(text);
    if (const auto begin = without_leading(line, blanks);
        !begin.empty() && (begin.front() == '#' || begin.front() == ';'))
      continue;
    if (!marked && line.substr(0, mark.size()) == mark) {
      line.remove_prefix(mark.size());
      marked = true;
    }
    whole.append(line);
    if (goes_on(whole)) {
      whole.back() = ' ';
      continue;
    }
    take(whole, section, result);
    whole.clear();
  }
  take(whole, section, result);
  return result;
}

} // namespace harmony
