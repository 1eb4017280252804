#include "apps/ctl/yaml_reader.hpp"

#include <map>
#include <optional>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "apps/ctl/json_reader.hpp"
#include "apps/ctl/tree_builder.hpp"
#include "model/utf8.hpp"

namespace harmony::ctl {

namespace {

position place_of(const YAML::Mark& mark) {
  if (mark.is_null())
    return {};
  return {mark.line + 1, mark.column + 1};
}

bool digits(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// What a plain scalar is. `ambiguous` is set for numbers whose readers disagree.
node_kind kind_of_plain(std::string_view text, bool& ambiguous) {
  ambiguous = false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return node_kind::null;
  for (const auto* word : {"true", "True", "TRUE", "false", "False", "FALSE"})
    if (text == word)
      return node_kind::boolean;
  auto number = text;
  if (number.front() == '-' || number.front() == '+')
    number.remove_prefix(1);
  constexpr std::string_view decimal = "0123456789";
  if (digits(number, decimal)) {
    ambiguous = (number.size() > 1 && number.front() == '0') || text.front() == '+';
    return ambiguous ? node_kind::string : node_kind::number;
  }
  if (number.size() > 2 && number.front() == '0')
    ambiguous = (number[1] == 'x' && digits(number.substr(2), "0123456789abcdefABCDEF"))
                || (number[1] == 'o' && digits(number.substr(2), "01234567"))
                || (number[1] == 'b' && digits(number.substr(2), "01"));
  return node_kind::string;
}

/// Turns the parser's events into a tree.
class handler final : public YAML::EventHandler {
public:
  document_tree take() { return builder_.take(); }

  /// Where in the text the document begins.
  [[nodiscard]] const YAML::Mark& start() const { return start_; }

  void OnDocumentStart(const YAML::Mark& mark) override { start_ = mark; }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    scalar(node_kind::null, "", place_of(mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw reading_stopped{place_of(mark), "alias refers to nothing that can be repeated"};
    builder_.alias(found->second, place_of(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const auto at = place_of(mark);
    if (builder_.expects_key()) {
      check_tag(tag, at);
      if (tag == "?" && value == "<<")
        throw reading_stopped{at, "merge keys are not supported; repeat the fields"};
      scalar(node_kind::string, value, at, anchor);
      return;
    }
    // "!" is a quoted or block scalar.
    if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      scalar(node_kind::string, value, at, anchor);
      return;
    }
    check_tag(tag, at);
    bool ambiguous = false;
    const auto kind = kind_of_plain(value, ambiguous);
    if (ambiguous)
      builder_.note(at, "expected a decimal number or a quoted text, got " + value + "; write \""
                          + value + "\"");
    scalar(kind, kind == node_kind::boolean ? lower(value) : value, at, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(node_kind::list, tag, place_of(mark), anchor);
  }
  void OnSequenceEnd() override { builder_.close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(node_kind::map, tag, place_of(mark), anchor);
  }
  void OnMapEnd() override { builder_.close(); }

private:
  static std::string lower(std::string text) {
    for (auto& c : text)
      c = static_cast<char>(c | 0x20); // only letters come here
    return text;
  }

  static void check_tag(const std::string& tag, position at) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag.rfind("tag:yaml.org,2002:", 0) != 0)
      throw reading_stopped{at, "tag '" + tag + "' is not supported; leave it out"};
  }

  void scalar(node_kind kind, std::string text, position at, YAML::anchor_t anchor) {
    const bool is_key = builder_.expects_key();
    if (anchor != 0 && !is_key) {
      auto copy = std::make_shared<node>();
      copy->kind = kind;
      copy->text = text;
      copy->weight = text.size() + 1;
      copy->at = at;
      anchors_[anchor] = copy;
    }
    builder_.scalar(kind, std::move(text), at);
  }

  void open(node_kind kind, const std::string& tag, position at, YAML::anchor_t anchor) {
    check_tag(tag, at);
    builder_.open(kind, at);
    if (anchor != 0)
      anchors_[anchor] = builder_.innermost();
  }

  YAML::Mark start_ = YAML::Mark::null_mark();
  tree_builder builder_;
  std::map<YAML::anchor_t, node_ptr> anchors_;
};

document_tree stopped(document_tree partial, position at, std::string why,
                      ec code = ec::invalid_document) {
  partial.root = nullptr;
  partial.issues.push_back({at, {"", std::move(why), code}});
  return partial;
}

/// Reads a file document by document.
class document_reader {
public:
  explicit document_reader(std::string text) : in_(std::move(text)), parser_(in_) {}

  /// Reads the next document into `out`; false when there is no more. Throws what the parser throws
  /// at the beginning of a file.
  bool next(document_tree& out) {
    if (!more_)
      return false;
    more_ = false;
    handler events;
    try {
      if (!parser_.HandleNextDocument(events))
        return false;
      // The parser takes a stray token for an empty document, and stays there for ever.
      if (events.start().pos == last_)
        throw reading_stopped{place_of(events.start()), "not valid YAML: unexpected text"};
      last_ = events.start().pos;
      out = events.take();
      more_ = true;
    } catch (const reading_stopped& e) {
      out = stopped(events.take(), e.at, e.what(), e.code);
    } catch (const YAML::Exception& e) {
      out = stopped(events.take(), place_of(e.mark), "not valid YAML: " + e.msg);
    } catch (const std::exception& e) {
      out = stopped(events.take(), {}, std::string{"not valid YAML: "} + e.what());
    }
    return true;
  }

private:
  std::istringstream in_;
  YAML::Parser parser_;
  int last_ = -1; ///< where the document before began
  bool more_ = true;
};

/// Where `text` stops to be UTF-8 text; line 0 if it is text throughout.
position first_bad_byte(std::string_view text) {
  position at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    if (length == 0 || text[i] == '\0')
      return at;
    if (text[i] == '\n')
      at = {at.line + 1, 1};
    else
      at.column += static_cast<int>(length);
    i += length;
  }
  return {};
}

/// The parser takes a quoted text that is never closed for closed when the file ends in a line
/// break. Without the break it sees the fault, which is what this looks for.
std::optional<located_issue> unclosed_quote(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos)
    return {};
  try {
    document_reader reader{std::string{text.substr(0, last + 1)}};
    document_tree next;
    while (reader.next(next))
      for (const auto& i : next.issues)
        if (i.what.message.find("illegal EOF") != std::string::npos)
          return located_issue{i.at,
                               {"", "not valid YAML: a quoted text is never closed", i.what.code}};
  } catch (const std::exception&) {
    return {}; // the reading proper says it
  }
  return {};
}

std::vector<document_tree> read_yaml(std::string_view text) {
  if (auto fault = unclosed_quote(text))
    return {{nullptr, {std::move(*fault)}}};
  std::vector<document_tree> documents;
  try {
    // The parser reports an unexpected end at the right place only after a line break.
    document_reader reader{std::string{text}.append("\n")};
    document_tree next;
    while (reader.next(next)) {
      const bool empty = next.root != nullptr && next.root->kind == node_kind::null;
      if (!empty || !next.issues.empty())
        documents.push_back(std::move(next));
      next = {};
    }
  } catch (const std::exception& e) {
    documents.push_back(stopped({}, {}, std::string{"not valid YAML: "} + e.what()));
  }
  return documents;
}

} // namespace

std::vector<document_tree> read_documents(std::string_view text) {
  if (text.size() > max_file_bytes)
    return {stopped({}, {}, "larger than " + std::to_string(max_file_bytes) + " bytes",
                    ec::document_too_large)};
  if (const auto bad = first_bad_byte(text); bad.line != 0)
    return {stopped({}, bad, "not text in UTF-8")};
  if (text.rfind("\xEF\xBB\xBF", 0) == 0)
    text.remove_prefix(3);
  // JSON is read as JSON: YAML parsers do not know its escapes for characters above U+FFFF.
  if (is_json(text))
    return {read_json(text)};

  auto documents = read_yaml(text);
  // What begins like JSON and is neither was meant to be JSON; say what JSON lacks.
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{' && !documents.empty()
      && documents.front().root == nullptr
      && documents.front().issues.back().what.code == ec::invalid_document)
    documents.front().issues = {json_fault(text)};
  return documents;
}

} // namespace harmony::ctl
