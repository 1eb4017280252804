#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "topology/files.hpp"

namespace harmony {

/// Runs one operation a path (or another name) at a time: a second one waits until the first has
/// ended, its deadline or its cancellation. So an operation that hangs in the kernel and one begun
/// after it never meet.
class turns {
public:
  class turn {
  public:
    turn(turns& all, std::string path) : all_(&all), path_(std::move(path)) {}
    turn(turn&& other) noexcept
      : all_(std::exchange(other.all_, nullptr)), path_(std::move(other.path_)) {}
    turn& operator=(turn&&) = delete;
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn();

  private:
    turns* all_;
    std::string path_;
  };

  outcome<turn> take(const std::string& path, const op_limits& limits);

private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> busy_;
};

} // namespace harmony
