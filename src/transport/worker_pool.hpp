#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace harmony {

/// Threads for calls that may hang. One is started when a job finds none free, and leaves when it
/// had nothing to do for two seconds; an idle pool has none. A thread stuck in a library is left to
/// itself when the pool goes, so jobs must own what they use.
class worker_pool {
public:
  /// `at_exit` runs on each thread before it ends, e.g. to free what a library keeps a thread.
  explicit worker_pool(std::function<void()> at_exit = {});
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// Runs `job` on a thread of its own. False, and nothing happens, when `limit` jobs are running,
  /// the pool was closed, or the system gives no more threads.
  [[nodiscard]] bool post(std::function<void()> job, std::size_t limit);

  /// Takes no more jobs and waits until all threads ended, at most `patience`; whether they did.
  bool close(std::chrono::milliseconds patience);

private:
  struct core;
  std::shared_ptr<core> core_;
};

} // namespace harmony
