#include "unit/reconcilers/plan_table.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace harmony::test {

namespace {

constexpr auto nothing = "–";
constexpr auto head = "| now | wanted | steps | reason |";

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, at);)
    parts.push_back(trimmed(part));
  return parts;
}

plan_row read_row(const std::string& line, std::size_t number) {
  const auto cells = split(line, '|'); // the first is before the line's own '|'
  if (cells.size() != 5)
    throw std::runtime_error{"line " + std::to_string(number) + " has not four columns: " + line};
  const auto& reason = cells[4];
  const bool refused = reason.size() > 2 && reason.front() == '`' && reason.back() == '`';
  return {number, split(cells[1], ','), split(cells[2], ','), cells[3],
          refused ? reason.substr(1, reason.size() - 2) : ""};
}

} // namespace

std::vector<plan_row> plan_rows(const std::string& page) {
  std::ifstream in{HARMONY_SOURCE_DIR "/docs/reconcilers/" + page + ".md"};
  std::vector<plan_row> rows;
  bool inside = false;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line == head)
      inside = true;
    else if (line.empty() || line.front() != '|')
      inside = false;
    else if (inside && line.compare(0, 2, "|-") != 0)
      rows.push_back(read_row(line, number));
  }
  if (rows.empty())
    throw std::runtime_error{"docs/reconcilers/" + page + ".md has no table '" + head + "'"};
  return rows;
}

std::string steps_text(const std::vector<change>& todo,
                       const std::vector<std::pair<std::string, std::string>>& known) {
  std::string text;
  for (const auto& c : todo) {
    text += (text.empty() ? "" : "; ") + std::string{name_of(c.what)} + " " + c.field;
    if (!c.from.empty() || !c.to.empty())
      text += " " + c.from + (c.from.empty() || c.to.empty() ? "" : " → ") + c.to;
  }
  for (const auto& [what, name] : known)
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at))
      text.replace(at, what.size(), name);
  return text.empty() ? nothing : text;
}

} // namespace harmony::test
