#pragma once

#include <functional>
#include <memory>

namespace harmony {

/// Runs blocking work outside the scheduler.
class executor {
public:
  virtual ~executor() = default;

  /// Runs `work` on some thread, soon. Never blocks, never refuses. `work` must not throw.
  virtual void post(std::function<void()> work) = 0;
};

/// Threads on demand: a new one for each piece of work that finds none idle. An idle thread leaves
/// after a few seconds, so a quiet agent has none. How many pieces run at once is the lanes'
/// decision; where the system refuses one more thread, the work waits for one that is there.
class thread_executor final : public executor {
public:
  thread_executor();
  thread_executor(const thread_executor&) = delete;
  thread_executor& operator=(const thread_executor&) = delete;

  /// Waits up to a second for the work in flight. A thread stuck longer (a hung system call cannot
  /// be interrupted) is left behind; it holds only what it shares.
  ~thread_executor() override;

  void post(std::function<void()> work) override;

private:
  struct shared_state;
  static void run(const std::shared_ptr<shared_state>& state);

  std::shared_ptr<shared_state> state_;
};

} // namespace harmony
