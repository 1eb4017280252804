#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "topology/monitor.hpp"

namespace harmony {

/// Runs relists that something dead (a mount, a directory service) may hold up for ever: each on a
/// thread of its own, so that who waits for it may go before it ends. While one hangs, no other is
/// begun. Thread-safe.
class timed_listing {
public:
  using facts = std::vector<runtime_fact>;

  /// `what` it looks at, for messages: "the managed files".
  explicit timed_listing(std::string what) : what_(std::move(what)) {}

  /// What `list` gives; timed_out when that takes longer than `timeout`. `list` may outlive this
  /// object, so it holds what it needs.
  outcome<facts> run(std::function<outcome<facts>()> list, std::chrono::milliseconds timeout);

private:
  struct shared_state;

  std::string what_;
  std::mutex mutex_;
  std::shared_ptr<shared_state> newest_;
};

} // namespace harmony
