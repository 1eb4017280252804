#pragma once

// Virtual time: what happens next, and a clock of one's own for each node.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "core/failover/timings.hpp"

namespace harmony::failover::sim {

/// True time, in nanoseconds since the history began; nobody in it can see it.
using moment = std::int64_t;

constexpr moment millisecond = 1'000'000;
constexpr moment second = 1000 * millisecond;

class schedule {
public:
  [[nodiscard]] moment now() const { return now_; }

  void at(moment when, std::function<void()> what) {
    queue_.push({std::max(when, now_), order_++, std::move(what)});
  }
  void in(moment delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  /// Does the next thing, if there is one until `end`.
  bool next(moment end) {
    if (queue_.empty() || queue_.top().when > end) {
      now_ = std::max(now_, end);
      return false;
    }
    auto what = std::move(const_cast<entry&>(queue_.top()).what); // NOLINT: popped at once
    now_ = queue_.top().when;
    queue_.pop();
    what();
    return true;
  }

private:
  struct entry {
    moment when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const entry& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  moment now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<entry> queue_;
};

/// A node's CLOCK_BOOTTIME: began at another moment, and runs too fast or too slow.
struct drifting_clock {
  double rate = 1.0;
  moment offset = 0;

  [[nodiscard]] instant read(moment now) const {
    return instant{duration{offset + static_cast<moment>(static_cast<double>(now) * rate)}};
  }
  [[nodiscard]] moment when(instant local) const {
    return static_cast<moment>(static_cast<double>(local.time_since_epoch().count() - offset)
                               / rate)
           + 1;
  }
};

class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}

  /// From `low` to `high`, both included.
  moment between(moment low, moment high) {
    return low + static_cast<moment>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  std::size_t below(std::size_t n) { return engine_() % n; }

private:
  std::mt19937_64 engine_;
};

} // namespace harmony::failover::sim
