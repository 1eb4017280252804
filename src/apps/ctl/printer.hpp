#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace harmony::ctl {

enum class output_format { table, json, yaml };

using json = nlohmann::ordered_json;

/// What a cell means; its colour, on a terminal.
enum class tone { plain, good, busy, bad, faint };

struct cell {
  std::string text; ///< in the table
  json value;       ///< in JSON and YAML
  tone look = tone::plain;

  static cell of(std::string text, tone look = tone::plain) {
    auto value = json(text);
    return {std::move(text), std::move(value), look};
  }
  static cell of(std::string text, json value, tone look = tone::plain) {
    return {std::move(text), std::move(value), look};
  }
};

struct column {
  std::string title; ///< empty: not in the table
  std::string key;   ///< empty: not in JSON and YAML
};

/// Rows of things, whatever they are printed as.
struct listing {
  std::vector<column> columns;
  std::vector<std::vector<cell>> rows;
  std::string nothing; ///< said instead of a table without rows
};

/// Renders a listing: an aligned table, or an array of objects.
std::string render(const listing& rows, output_format format, bool colour);

/// The aligned table alone, each line indented by `indent` spaces.
std::string render_table(const listing& rows, bool colour, std::size_t indent = 0);

/// Renders one value; a table is not possible, so `table` gives YAML.
std::string render(const json& value, output_format format);

/// YAML that any YAML reader, of version 1.1 too, takes for the same value.
std::string to_yaml(const json& value);

/// Text as it may go to a terminal: control characters, which could steer it, are shown as "\x1b";
/// line breaks become spaces if `one_line`.
std::string printable(std::string_view text, bool one_line = true);

/// `text` between the escape sequences of `look`.
std::string coloured(std::string text, tone look, bool colour);

} // namespace harmony::ctl
