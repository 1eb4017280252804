#pragma once

// The file behind an audit log; for audit_log.cpp and its tests.

#include <string>
#include <vector>

#include "core/audit_chain.hpp"
#include "model/outcome.hpp"
#include "state/audit_log.hpp"

namespace harmony {

/// Writes records to the end of the chain that is on disk. Not thread-safe.
class audit_chain_file {
public:
  audit_chain_file(std::string path, const audit_limits& limits)
    : path_(std::move(path)), limits_(limits) {}

  /// Gives `records` their place in the chain (sequence and hash of the line before), writes them
  /// as one, and gives the lines once they are durable; before them, where they are needed, the
  /// record that begins a chain and the one that heals a torn line, made from `own`. Fails as a
  /// write does; then none of them is there.
  outcome<std::vector<std::string>> append(std::vector<audit_record> records,
                                           const audit_record& own);

private:
  /// Where the chain on disk ends, and what stands behind that.
  struct chain_end {
    audit_mark head;
    std::string torn;          ///< bytes that are no record
    bool unterminated = false; ///< the file does not end with a newline
  };

  [[nodiscard]] outcome<chain_end> end_of(const std::string& file) const;
  outcome<chain_end> find_end();
  outcome<void> rotate() const;

  std::string path_;
  audit_limits limits_;
};

} // namespace harmony
