#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/ctl/document_tree.hpp"

namespace harmony::ctl {

/// Ends the reading of a document at once: a fault that leaves nothing to go on with.
struct reading_stopped : std::runtime_error {
  reading_stopped(position where, const std::string& why, ec kind = ec::invalid_document)
    : std::runtime_error(why), at(where), code(kind) {}

  position at;
  ec code;
};

/// Builds a tree from the events of a parser and enforces the limits on the way, so that nothing
/// large is ever built. Every function may throw reading_stopped.
class tree_builder {
public:
  void open(node_kind kind, position at);
  void close();
  void scalar(node_kind kind, std::string text, position at);
  /// Inserts `shared` again, as an alias does.
  void alias(const node_ptr& shared, position at);
  /// Notes an issue of the value that is about to be added.
  void note(position at, std::string message);

  /// The innermost list or map that is still open; nothing at the root.
  [[nodiscard]] node_ptr innermost() const;
  /// Whether the next scalar is a key.
  [[nodiscard]] bool expects_key() const;
  /// Whether `candidate` is still being built.
  [[nodiscard]] bool is_open(const node_ptr& candidate) const;

  document_tree take() { return std::move(result_); }

private:
  struct frame {
    node_ptr container;
    std::optional<member> pending;              ///< a key that waits for its value
    bool skipped = false;                       ///< the pending key is a duplicate
    std::unordered_map<std::string, int> lines; ///< of each key so far
  };

  [[nodiscard]] std::string path() const;
  void take_key(const std::string& key, position at);
  void add(const node_ptr& value);

  std::vector<frame> stack_;
  document_tree result_;
};

} // namespace harmony::ctl
