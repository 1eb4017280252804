#include <algorithm>
#include <array>

#include "apps/ctl/printer.hpp"

namespace harmony::ctl {

namespace {

/// A longer key has to be marked as one: YAML 1.2, 7.4.2.
constexpr std::size_t longest_bare_key = 1000;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Words that some YAML reader takes for something else than text.
bool is_reserved(std::string text) {
  for (auto& c : text)
    c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + ('a' - 'A')) : c;
  static constexpr std::array<std::string_view, 9> words{"null", "true", "false", "yes", "no",
                                                         "on",   "off",  "y",     "n"};
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// Whether `text` may stand without quotes: it starts with a letter or "/", has only harmless
/// characters, and is no word of YAML's. Stricter than YAML is.
bool is_plain(const std::string& text) {
  if (text.empty() || is_reserved(text) || text.back() == ' ' || text.back() == ':')
    return false;
  const bool starts_well = text.front() == '/' || (is_alnum(text.front()) && text.front() > '9');
  if (!starts_well || text.find(": ") != std::string::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || std::string_view{" /_-.,:@+=%()"}.find(c) != std::string_view::npos;
  });
}

/// Whether `text` may stand as a literal block: several lines, ended by one line break, with
/// nothing that a block would lose.
bool is_block(const std::string& text) {
  if (text.size() < 2 || text.back() != '\n' || text[text.size() - 2] == '\n')
    return false;
  if (text.find('\n') == text.size() - 1 && text.size() < 60)
    return false;
  if (text.front() == ' ' || text.front() == '\n' || text.find(" \n") != std::string::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\n' || (byte >= 0x20 && byte < 0x7F); // anything else is quoted, and escaped
  });
}

std::string quoted(const std::string& text) {
  auto result = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  // JSON leaves DEL as it is; YAML asks for an escape.
  for (auto at = result.find('\x7f'); at != std::string::npos; at = result.find('\x7f', at))
    result.replace(at, 1, "\\x7f");
  return result;
}

void write(std::string& out, const json& value, std::size_t indent, bool inline_first);

void write_scalar(std::string& out, const json& value, std::size_t indent) {
  if (!value.is_string()) {
    out += value.dump() + "\n";
    return;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (!is_block(text)) {
    out += (is_plain(text) ? text : quoted(text)) + "\n";
    return;
  }
  out += "|\n";
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    if (end != begin)
      out.append(indent, ' ').append(text, begin, end - begin);
    out += '\n';
    begin = end + 1;
  }
}

bool is_nested(const json& value) {
  return (value.is_object() || value.is_array()) && !value.empty();
}

/// `inline_first`: the cursor stands where the first entry begins ("- " was written).
void write(std::string& out, const json& value, std::size_t indent, bool inline_first) {
  if (!is_nested(value)) {
    write_scalar(out, value, std::max<std::size_t>(indent, 2)); // a text that is all there is, too
    return;
  }
  const auto begin_entry = [&] {
    if (!inline_first)
      out.append(indent, ' ');
    inline_first = false;
  };
  if (value.is_array()) {
    for (const auto& item : value) {
      begin_entry();
      out += "- ";
      write(out, item, indent + 2, true);
    }
    return;
  }
  for (const auto& [key, item] : value.items()) {
    begin_entry();
    const auto name = is_plain(key) ? key : quoted(key);
    if (name.size() > longest_bare_key)
      out.append("? " + name + "\n").append(indent, ' ').append(":");
    else
      out += name + ":";
    if (!is_nested(item)) {
      out += ' ';
      write_scalar(out, item, indent + 2);
      continue;
    }
    out += '\n';
    write(out, item, item.is_array() ? indent : indent + 2, false);
  }
}

} // namespace

std::string to_yaml(const json& value) {
  std::string out;
  write(out, value, 0, false);
  return out;
}

} // namespace harmony::ctl
