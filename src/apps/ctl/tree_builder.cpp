#include "apps/ctl/tree_builder.hpp"

#include <algorithm>

namespace harmony::ctl {

std::string tree_builder::path() const {
  std::string result;
  for (const auto& f : stack_) {
    if (f.container->kind == node_kind::list)
      result = item_path(result, f.container->items.size());
    else if (f.pending)
      result = field_path(result, f.pending->key);
  }
  return result;
}

bool tree_builder::expects_key() const {
  return !stack_.empty() && stack_.back().container->kind == node_kind::map
         && !stack_.back().pending;
}

node_ptr tree_builder::innermost() const {
  return stack_.empty() ? nullptr : stack_.back().container;
}

bool tree_builder::is_open(const node_ptr& candidate) const {
  return std::any_of(stack_.begin(), stack_.end(),
                     [&](const frame& f) { return f.container == candidate; });
}

void tree_builder::note(position at, std::string message) {
  result_.issues.push_back({at, {path(), std::move(message), ec::invalid_document}});
}

void tree_builder::open(node_kind kind, position at) {
  if (expects_key())
    throw reading_stopped{at, "expected a text as key, got a "
                                + std::string{kind == node_kind::map ? "map" : "list"}};
  if (stack_.size() >= max_depth)
    throw reading_stopped{at, "nested deeper than " + std::to_string(max_depth) + " levels",
                          ec::document_too_large};
  auto container = std::make_shared<node>();
  container->kind = kind;
  container->at = at;
  stack_.push_back({std::move(container), {}, false, {}});
}

void tree_builder::close() {
  const auto done = stack_.back().container;
  stack_.pop_back();
  add(done);
}

void tree_builder::scalar(node_kind kind, std::string text, position at) {
  if (expects_key()) {
    take_key(text, at);
    return;
  }
  auto value = std::make_shared<node>();
  value->kind = kind;
  value->weight = text.size() + 1;
  value->text = std::move(text);
  value->at = at;
  add(value);
}

void tree_builder::alias(const node_ptr& shared, position at) {
  if (expects_key())
    throw reading_stopped{at, "expected a text as key, got an alias"};
  if (is_open(shared))
    throw reading_stopped{at, "alias refers to a value that it is part of"};
  add(shared);
}

void tree_builder::take_key(const std::string& key, position at) {
  auto& top = stack_.back();
  top.pending = member{key, at, nullptr};
  const auto [first, added] = top.lines.try_emplace(key, at.line);
  top.skipped = !added;
  if (top.skipped)
    note(at, "duplicate key; the first one is in line " + std::to_string(first->second));
}

void tree_builder::add(const node_ptr& value) {
  if (stack_.empty()) {
    result_.root = value;
    return;
  }
  auto& top = stack_.back();
  auto& container = *top.container;
  container.weight += value->weight;
  if (container.kind == node_kind::list) {
    container.items.push_back(value);
  } else {
    container.weight += top.pending->key.size() + 4;
    top.pending->value = value;
    if (!top.skipped)
      container.members.push_back(std::move(*top.pending));
    top.pending.reset();
  }
  if (container.weight > max_document_bytes)
    throw reading_stopped{container.at,
                          "document is larger than " + std::to_string(max_document_bytes)
                            + " bytes, aliases expanded",
                          ec::document_too_large};
}

} // namespace harmony::ctl
