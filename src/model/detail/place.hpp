#pragma once

// Where a reader is in a document, and what it has to say about it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.hpp"

namespace harmony::detail {

/// Issues kept of one document (or one resource); what comes after them is only counted.
inline constexpr std::size_t max_issues = 100;

/// The faults found so far. A list may keep those of each element apart, in `parts`.
struct complaints {
  bool strict = true;             ///< unknown fields are faults
  ec code = ec::invalid_document; ///< of issues that name no other
  std::vector<issue> issues;
  std::size_t count = 0; ///< of all issues, kept or not
  std::vector<complaints> parts;

  void add(std::string path, std::string message, ec why) {
    if (++count <= max_issues)
      issues.push_back({std::move(path), std::move(message), why});
  }

  void add_all(const complaints& other) {
    for (const auto& each : other.issues)
      add(each.path, each.message, each.code);
    count += other.count - other.issues.size();
  }
};

/// Appends a field's name to a path: `.mode`, or `["a.b"]` where it is no plain word.
void append_step(std::string& path, std::string_view name);
/// Appends an element's index to a path: `[3]`.
void append_step(std::string& path, std::size_t index);

/// One step of the path from the root of a document to the value being read. Lives on the stack
/// and costs nothing until there is something to say.
class place {
public:
  explicit place(complaints& sink) : sink_(&sink) {}

  [[nodiscard]] place at(std::string_view name) const { return {this, name, 0, *sink_}; }
  [[nodiscard]] place at(std::size_t index) const { return {this, {}, index, *sink_}; }

  /// The element `index`, its faults kept apart from the others'. Ends the use of earlier parts.
  [[nodiscard]] place part(std::size_t index, ec code) const {
    if (sink_->parts.size() <= index)
      sink_->parts.resize(index + 1);
    auto& own = sink_->parts[index];
    own.strict = sink_->strict;
    own.code = code;
    return {this, {}, index, own};
  }

  void fail(std::string message) const { fail(std::move(message), sink_->code); }
  void fail(std::string message, ec code) const { sink_->add(str(), std::move(message), code); }

  [[nodiscard]] bool strict() const noexcept { return sink_->strict; }

  /// E.g. `spec.resources[3].spec.mode`; empty for the document itself.
  [[nodiscard]] std::string str() const {
    if (!parent_)
      return {};
    auto path = parent_->str();
    name_.data() ? append_step(path, name_) : append_step(path, index_);
    return path;
  }

private:
  place(const place* parent, std::string_view name, std::size_t index, complaints& sink)
    : parent_(parent), name_(name), index_(index), sink_(&sink) {}

  const place* parent_ = nullptr;
  std::string_view name_; ///< without data: an index
  std::size_t index_ = 0;
  complaints* sink_;
};

} // namespace harmony::detail
