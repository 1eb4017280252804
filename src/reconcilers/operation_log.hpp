#pragma once

#include <cstddef>
#include <utility>

#include "model/ids.hpp"

namespace harmony {

/// Notes which operations have begun and not ended, in a way that outlives the process.
/// Thread-safe; never waits for a disk.
class operation_log {
public:
  virtual ~operation_log() = default;
  /// `acting`: it may change something. Gives the entry's number for `end`.
  virtual std::size_t begin(const resource_id& id, bool acting) = 0;
  virtual void end(std::size_t entry) = 0;
};

/// An operation's entry, for as long as this object lives. No log: none.
class logged_operation {
public:
  logged_operation(operation_log* log, const resource_id& id, bool acting)
    : log_(log), entry_(log == nullptr ? 0 : log->begin(id, acting)) {}
  logged_operation(const logged_operation&) = delete;
  logged_operation& operator=(const logged_operation&) = delete;
  ~logged_operation() {
    if (log_ != nullptr)
      log_->end(entry_);
  }

private:
  operation_log* log_;
  std::size_t entry_;
};

} // namespace harmony
