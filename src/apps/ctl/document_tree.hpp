#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.hpp"

namespace harmony::ctl {

/// A place in a text file; both count from 1, and 0 means unknown. Columns count bytes.
struct position {
  int line = 0;
  int column = 0;

  friend bool operator==(const position&, const position&) = default;
};

enum class node_kind { null, boolean, number, string, list, map };

struct node;
using node_ptr = std::shared_ptr<node>;

struct member {
  std::string key;
  position at; ///< of the key
  node_ptr value;
};

/// One value of a document, whether it was written as YAML or as JSON, with its place in the file.
/// A YAML alias shares the node of its anchor.
struct node {
  node_kind kind = node_kind::null;
  std::string text; ///< of a boolean, a number (as written) or a string (decoded)
  std::vector<node_ptr> items;
  std::vector<member> members;
  position at;
  std::size_t weight = 1; ///< about the bytes of its JSON form, aliases counted each time

  [[nodiscard]] const member* find(std::string_view key) const;
};

/// An issue and where in the file it is.
struct located_issue {
  position at;
  issue what;

  friend bool operator==(const located_issue&, const located_issue&) = default;
};

/// One document of a file. With issues, `root` is what could be read, possibly nothing.
struct document_tree {
  node_ptr root;
  std::vector<located_issue> issues;
};

/// Where each path ("spec.resources[3].spec.mode") of a document stands: a field at its key, an
/// item at its first character.
class position_map {
public:
  position_map() = default;
  explicit position_map(const node& root);

  /// The place of `path`, or of the nearest enclosing value when the path itself is not in the
  /// document (a missing field).
  [[nodiscard]] position locate(std::string_view path) const;

  /// All paths and their places.
  [[nodiscard]] const std::map<std::string, position, std::less<>>& all() const { return places_; }

private:
  void add(const std::string& path, const node& value);

  std::map<std::string, position, std::less<>> places_;
};

/// `path` extended by a field or by an index.
std::string field_path(std::string_view path, std::string_view key);
std::string item_path(std::string_view path, std::size_t index);

/// The JSON text of a tree. Numbers stay as written.
std::string to_json(const node& value);

} // namespace harmony::ctl
