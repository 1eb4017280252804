#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace harmony {

/// What the store's callbacks raise and the one thread waits for.
class wakeup {
public:
  void raise() {
    const std::lock_guard guard{mutex_};
    raised_ = true;
    changed_.notify_all();
  }
  void wait_until(std::chrono::steady_clock::time_point end) {
    std::unique_lock guard{mutex_};
    changed_.wait_until(guard, end, [this] { return raised_; });
    raised_ = false;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

} // namespace harmony
