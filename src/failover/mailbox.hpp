#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "core/failover/timings.hpp"
#include "posix/descriptor.hpp"

namespace harmony::failover {

/// Now, on CLOCK_BOOTTIME.
instant boottime_now();

/// Wakes its one reader when somebody rings, or when a time of CLOCK_BOOTTIME has come: a condition
/// variable's clock stands still while the host sleeps.
class bell {
public:
  bell();

  /// Thread-safe.
  void ring() const;
  /// Until it was rung since the last call, or `at` has come.
  void wait_until(instant at) const;

private:
  open_fd rung_;
  open_fd timer_;
};

/// What threads leave for one that works it off, in order.
template <class Message>
class mailbox {
public:
  /// Thread-safe. Nothing once it is closed.
  void put(Message m) {
    {
      const std::lock_guard guard{mutex_};
      if (closed_)
        return;
      waiting_.push_back(std::move(m));
    }
    bell_.ring();
  }

  /// The next, at once, or nothing where none came by `until`.
  std::optional<Message> take(instant until) {
    for (;;) {
      {
        const std::lock_guard guard{mutex_};
        if (!waiting_.empty()) {
          auto first = std::move(waiting_.front());
          waiting_.pop_front();
          return first;
        }
        if (closed_)
          return std::nullopt;
      }
      if (boottime_now() >= until)
        return std::nullopt;
      bell_.wait_until(until);
    }
  }

  /// What waits is still taken; nothing comes any more.
  void close() {
    {
      const std::lock_guard guard{mutex_};
      closed_ = true;
    }
    bell_.ring();
  }

  [[nodiscard]] bool closed() const {
    const std::lock_guard guard{mutex_};
    return closed_;
  }

private:
  bell bell_;
  mutable std::mutex mutex_; // guards what follows
  std::deque<Message> waiting_;
  bool closed_ = false;
};

} // namespace harmony::failover
