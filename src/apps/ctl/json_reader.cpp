#include "apps/ctl/json_reader.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "apps/ctl/tree_builder.hpp"

namespace harmony::ctl {

namespace {

constexpr std::string_view white = " \t\r\n";

/// Walks over text that is known to be well-formed, so it only has to find where values begin.
class scanner {
public:
  explicit scanner(std::string_view text) : text_(text) {}

  document_tree read() {
    try {
      skip_white();
      value();
      return builder_.take();
    } catch (const reading_stopped& e) {
      auto partial = builder_.take();
      partial.root = nullptr;
      partial.issues.push_back({e.at, {"", e.what(), e.code}});
      return partial;
    }
  }

private:
  [[nodiscard]] char here() const { return text_[at_]; }
  [[nodiscard]] position place() const { return {line_, static_cast<int>(at_ - line_start_) + 1}; }

  void skip_white() {
    while (at_ < text_.size() && white.find(text_[at_]) != std::string_view::npos) {
      if (text_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
      ++at_;
    }
  }

  /// Steps over `mark` and the white space after it.
  void step() {
    ++at_;
    skip_white();
  }

  std::string string() {
    const auto begin = at_++;
    while (here() != '"')
      at_ += here() == '\\' ? 2 : 1;
    ++at_;
    const auto parsed = nlohmann::json::parse(text_.substr(begin, at_ - begin), nullptr, false);
    skip_white();
    return parsed.is_string() ? parsed.get<std::string>() : std::string{};
  }

  void value() {
    const auto at = place();
    switch (here()) {
    case '{': object(at); return;
    case '[': array(at); return;
    case '"': builder_.scalar(node_kind::string, string(), at); return;
    default: word(at); return;
    }
  }

  void object(position at) {
    builder_.open(node_kind::map, at);
    step();
    while (here() != '}') {
      const auto key_at = place();
      builder_.scalar(node_kind::string, string(), key_at);
      step(); // ':'
      value();
      if (here() == ',')
        step();
    }
    step();
    builder_.close();
  }

  void array(position at) {
    builder_.open(node_kind::list, at);
    step();
    while (here() != ']') {
      value();
      if (here() == ',')
        step();
    }
    step();
    builder_.close();
  }

  void word(position at) {
    const auto end = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    std::string text{text_.substr(at_, end - at_)};
    at_ = end;
    skip_white();
    const auto kind = text == "null"                      ? node_kind::null
                      : text == "true" || text == "false" ? node_kind::boolean
                                                          : node_kind::number;
    builder_.scalar(kind, std::move(text), at);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  tree_builder builder_;
};

} // namespace

bool is_json(std::string_view text) {
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '['))
    return false;
  return nlohmann::json::accept(text);
}

located_issue json_fault(std::string_view text) {
  std::string why = "unknown fault";
  position at{1, 1};
  try {
    const auto parsed = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    const auto before = text.substr(0, std::min(e.byte == 0 ? 0 : e.byte - 1, text.size()));
    at.line += static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    at.column = static_cast<int>(before.size() - (before.rfind('\n') + 1)) + 1;
    // "[json.exception.parse_error.101] parse error at line 2, column 1: syntax error while …"
    why = e.what();
    if (const auto end = why.find(": "); end != std::string::npos)
      why.erase(0, end + 2);
  } catch (const nlohmann::json::exception& e) {
    why = e.what();
  }
  return {at, {"", "not valid JSON: " + why, ec::invalid_document}};
}

document_tree read_json(std::string_view text) {
  return scanner{text}.read();
}

} // namespace harmony::ctl
