#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace harmony {

/// How many operations of one runtime run at once.
struct lane_limits {
  std::size_t width = 4;  ///< operations that make progress
  std::size_t most = 128; ///< threads in all, stuck ones among them
  duration patience =
    std::chrono::milliseconds{50}; ///< running longer while others wait: counts as stuck

  friend bool operator==(const lane_limits&, const lane_limits&) = default;
};

/// Which operations of one runtime run, wait and are given up. A pure value; the lane actor is its
/// shell.
///
/// Invariants:
/// - never two operations of one key at once: while one is on a thread, another of that key is
/// refused;
/// - an operation that runs longer than `patience` while others wait gives its place in the width
/// away, so that stuck ones hold up nobody, until `most` threads are in use;
/// - where a whole width of them is stuck and nothing has ended since, the patience with the next
/// ones is half as long, and so on: many that hang let the others through almost at once;
/// - after its deadline an operation is reported as expired once; its thread stays counted until it
/// returns.
class lane_schedule {
public:
  using ticket = std::uint64_t;

  explicit lane_schedule(lane_limits limits = {}) : limits_(limits) {}

  /// What the shell must do now.
  struct orders {
    std::vector<ticket> start;
    std::vector<ticket> expired; ///< report timed_out and ask it to stop
    std::optional<instant> wake; ///< call `tick` then; nothing: no timer needed

    friend bool operator==(const orders&, const orders&) = default;
  };

  /// Queues an operation; `key` is the resource. False when one of that key is still on a thread.
  bool submit(ticket t, std::string key, duration limit);

  /// Takes a waiting operation out of the queue. False when it is not waiting.
  bool withdraw(ticket t);

  /// Moves the deadline of a running operation forward to `at`; never back.
  void hurry(ticket t, instant at);

  /// The operation's thread returned.
  void finished(ticket t);

  /// What is due now.
  orders tick(instant now);

  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }
  /// Those running that gave their place away, or are past their deadline.
  [[nodiscard]] std::size_t stuck() const { return running_.size() - active(); }

private:
  struct waiting_op {
    ticket id;
    std::string key;
    duration limit;
  };
  struct running_op {
    std::string key;
    instant started;
    instant deadline;
    bool expired = false;
    bool stuck = false;
  };

  [[nodiscard]] duration patience() const;
  void find_stuck(instant now);
  [[nodiscard]] std::size_t active() const;
  [[nodiscard]] std::optional<instant> next_wake() const;

  lane_limits limits_;
  std::deque<waiting_op> queue_;
  std::map<ticket, running_op> running_;
  std::set<std::string> busy_;   ///< keys of running and waiting operations
  std::size_t stuck_in_row_ = 0; ///< since an operation ended
};

} // namespace harmony
