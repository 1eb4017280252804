#include "model/detail/json.hpp"

#include <algorithm>
#include <cctype>
#include <exception>

#include "model/utf8.hpp"

namespace harmony::detail {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The offset of the first byte that is not UTF-8; npos: none.
std::size_t find_broken_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const bool ascii = static_cast<unsigned char>(text[at]) < 0x80U; // nearly all, so at once
    const auto length = ascii ? 1 : utf8_length(text, at);
    if (length == 0)
      return at;
    at += length;
  }
  return std::string_view::npos;
}

/// "line 3, column 9", counted from 1, columns in characters.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n') + 1; // npos + 1 is 0
  const auto last = before.substr(start);
  const auto column =
    1 + std::count_if(last.begin(), last.end(), [](char c) { return !is_continuation(c); });
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Builds a value from SAX events and stops at the first passed limit.
class builder {
public:
  builder(std::string_view text, const json_limits& limits, complaints& found)
    : text_(text), limits_(limits), found_(found) {}

  json take() { return std::move(root_); }

  bool null() { return put(nullptr) != nullptr; }
  bool boolean(bool v) { return put(v) != nullptr; }
  bool number_integer(std::int64_t v) { return put(v) != nullptr; }
  bool number_unsigned(std::uint64_t v) { return put(v) != nullptr; }
  bool number_float(double v, const std::string& /*text*/) { return put(v) != nullptr; }
  bool string(std::string& v) { return put(std::move(v)) != nullptr; }
  bool binary(json::binary_t& /*v*/) { return false; } // no such thing in JSON text

  bool start_object(std::size_t /*size*/) { return open(json::object()); }
  bool start_array(std::size_t /*size*/) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    auto& top = levels_.back();
    top.key = std::move(name);
    if (top.node->contains(top.key))
      found_.add(path(levels_.size()), "is there twice; a JSON object has each key once",
                 ec::invalid_document);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& e) {
    // "[json.exception.…] parse error at line 1, column 2: …": what is before the text for people
    // is replaced by a position in characters.
    std::string_view why = e.what();
    why.remove_prefix(std::min(why.find("] ") + 2, why.size()));
    if (why.rfind("parse error", 0) == 0)
      why.remove_prefix(std::min(why.find(": ") + 2, why.size()));
    found_.add({},
               line_and_column(text_, position == 0 ? 0 : position - 1)
                 + ": not JSON: " + shortened(why, 200),
               ec::invalid_document);
    return false;
  }

private:
  struct level {
    json* node;
    std::string key; ///< of an object's member being read
  };

  /// Puts a value where the text stands; null when that passes a limit.
  json* put(json value) {
    if (levels_.empty())
      return &(root_ = std::move(value));
    auto& top = levels_.back();
    if (!top.node->is_array())
      return &((*top.node)[top.key] = std::move(value));
    if (top.node->size() >= limits_.resources && path(levels_.size() - 1) == "spec.resources") {
      found_.add("spec.resources", "more than " + std::to_string(limits_.resources) + " resources",
                 ec::document_too_large);
      return nullptr;
    }
    return &top.node->emplace_back(std::move(value));
  }

  bool open(json empty) {
    if (levels_.size() >= limits_.depth) {
      found_.add(path(levels_.size()),
                 "nested deeper than " + std::to_string(limits_.depth) + " levels",
                 ec::document_too_large);
      return false;
    }
    auto* node = put(std::move(empty));
    if (node)
      levels_.push_back({node, {}});
    return node != nullptr;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  /// The path of what the first `depth` levels are reading.
  [[nodiscard]] std::string path(std::size_t depth) const {
    std::string result;
    for (std::size_t i = 0; i < depth; ++i) {
      const auto& each = levels_[i];
      // An element that is open is in its array already.
      const std::size_t open = i + 1 < levels_.size() ? 1 : 0;
      each.node->is_array() ? append_step(result, each.node->size() - open)
                            : append_step(result, each.key);
    }
    return result;
  }

  std::string_view text_;
  const json_limits& limits_;
  complaints& found_;
  json root_;
  std::vector<level> levels_;
};

} // namespace

void append_step(std::string& path, std::string_view name) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), plain)) {
    if (!path.empty())
      path += '.';
    path += shortened(name, 60);
  } else {
    path += '[' + shown(std::string{name}) + ']';
  }
}

void append_step(std::string& path, std::size_t index) {
  path += '[' + std::to_string(index) + ']';
}

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit)
    return std::string{text};
  while (limit > 0 && is_continuation(text[limit]))
    --limit;
  return std::string{text.substr(0, limit)} + "…";
}

std::string shown(const json& value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "an array of " + std::to_string(value.size());
  if (value.is_string())
    return to_text(shortened(value.get_ref<const std::string&>(), 40));
  return shortened(to_text(value), 40);
}

std::string to_text(const json& value, bool indented) {
  return value.dump(indented ? 2 : -1, ' ', false, json::error_handler_t::replace);
}

std::optional<json> parse_json(std::string_view text, const json_limits& limits,
                               complaints& found) {
  if (text.size() > limits.bytes) {
    found.add({},
              "is " + std::to_string(text.size()) + " bytes long; the limit is "
                + std::to_string(limits.bytes),
              ec::document_too_large);
    return {};
  }
  if (const auto broken = find_broken_utf8(text); broken != std::string_view::npos) {
    found.add({}, line_and_column(text, broken) + ": not UTF-8", ec::invalid_document);
    return {};
  }
  builder handler{text, limits, found};
  try {
    if (!json::sax_parse(text.begin(), text.end(), &handler))
      return {};
  } catch (const std::exception& e) {
    found.add({}, std::string{"cannot be parsed: "} + e.what(), ec::invalid_document);
    return {};
  }
  return handler.take();
}

} // namespace harmony::detail
