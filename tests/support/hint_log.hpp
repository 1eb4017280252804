#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "topology/monitor.hpp"

namespace harmony::test {

/// Collects the hints of a monitor and waits for them.
class hint_log {
public:
  runtime_monitor::on_hint sink() {
    return [this](std::string target) {
      const std::lock_guard lock{mutex_};
      hints_.insert(std::move(target));
      came_.notify_all();
    };
  }

  void clear() {
    const std::lock_guard lock{mutex_};
    hints_.clear();
  }

  /// Whether `target` was hinted at within `limit`.
  bool wait_for(const std::string& target,
                std::chrono::milliseconds limit = std::chrono::seconds{10}) {
    std::unique_lock lock{mutex_};
    return came_.wait_for(lock, limit, [&] { return hints_.count(target) != 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::set<std::string> hints_;
};

} // namespace harmony::test
