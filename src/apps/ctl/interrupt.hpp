#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace harmony::ctl {

/// Turns SIGINT and SIGTERM into a stop request, for commands that have something to end well.
/// Until `start` is called the signals end the program as usual.
class interrupt_watcher {
public:
  interrupt_watcher() = default;
  interrupt_watcher(const interrupt_watcher&) = delete;
  interrupt_watcher& operator=(const interrupt_watcher&) = delete;
  ~interrupt_watcher();

  /// Call before other threads are started: they inherit the blocked signals.
  std::stop_token start();

private:
  std::stop_source source_;
  std::thread waiting_;
  std::atomic<bool> ending_ = false;
};

} // namespace harmony::ctl
