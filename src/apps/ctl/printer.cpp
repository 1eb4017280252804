#include "apps/ctl/printer.hpp"

#include <algorithm>
#include <array>

namespace harmony::ctl {

namespace {

/// Columns that `text` takes: code points, which is right for all but wide scripts.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string_view sequence_of(tone look) {
  switch (look) {
  case tone::plain: return "";
  case tone::good: return "\x1b[32m";
  case tone::busy: return "\x1b[33m";
  case tone::bad: return "\x1b[31m";
  case tone::faint: return "\x1b[2m";
  }
  return "";
}

json to_array(const listing& rows) {
  auto result = json::array();
  for (const auto& row : rows.rows) {
    auto object = json::object();
    for (std::size_t c = 0; c < rows.columns.size() && c < row.size(); ++c)
      if (!rows.columns[c].key.empty())
        object[rows.columns[c].key] = row[c].value;
    result.push_back(std::move(object));
  }
  return result;
}

} // namespace

std::string printable(std::string_view text, bool one_line) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n' || byte == '\t') {
      result += one_line ? ' ' : text[i];
      continue;
    }
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
    const bool c1 =
      byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1) {
      result += text[i];
      continue;
    }
    const auto shown = c1 ? static_cast<unsigned char>(text[++i]) : byte;
    result.append("\\x").append(1, hex[shown >> 4]).append(1, hex[shown & 15]);
  }
  return result;
}

std::string coloured(std::string text, tone look, bool colour) {
  if (!colour || look == tone::plain || text.empty())
    return text;
  return std::string{sequence_of(look)}.append(text).append("\x1b[0m");
}

std::string render_table(const listing& rows, bool colour, std::size_t indent) {
  if (rows.rows.empty())
    return rows.nothing.empty() ? "" : std::string(indent, ' ') + rows.nothing + "\n";
  std::vector<std::vector<cell>> lines(1);
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < rows.columns.size(); ++c)
    if (!rows.columns[c].title.empty()) {
      shown.push_back(c);
      lines.front().push_back(cell::of(rows.columns[c].title));
    }
  for (const auto& row : rows.rows) {
    auto& line = lines.emplace_back();
    for (const auto c : shown)
      line.push_back({printable(row[c].text), {}, row[c].look});
  }
  std::vector<std::size_t> widths(shown.size(), 0);
  for (const auto& line : lines)
    for (std::size_t c = 0; c < line.size(); ++c)
      widths[c] = std::max(widths[c], width_of(line[c].text));

  std::string out;
  for (const auto& line : lines) {
    std::string text(indent, ' ');
    std::size_t gap = 0; // owed after the cell before; never at the end of a line
    for (std::size_t c = 0; c < line.size(); ++c) {
      if (line[c].text.empty()) {
        gap += widths[c] + 3;
        continue;
      }
      text.append(gap, ' ').append(coloured(line[c].text, line[c].look, colour));
      gap = widths[c] - width_of(line[c].text) + 3;
    }
    out += text + "\n";
  }
  return out;
}

std::string render(const listing& rows, output_format format, bool colour) {
  if (format == output_format::table)
    return render_table(rows, colour);
  return render(to_array(rows), format);
}

std::string render(const json& value, output_format format) {
  if (format == output_format::json)
    return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return to_yaml(value);
}

} // namespace harmony::ctl
