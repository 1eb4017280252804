#include "core/lane.hpp"

#include <algorithm>
#include <map>

#include "support/catch.hpp"
#include "unit/core/world.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using tickets = std::vector<lane_schedule::ticket>;

const instant start{1h};

/// A lane of width 2, at most 4 threads, that holds what runs longer than 50 ms for stuck.
lane_schedule narrow() {
  return lane_schedule{{2, 4, 50ms}};
}

TEST_CASE("lane: more than its width -> started in order as places come free") {
  auto lane = narrow();
  for (const auto t : {1U, 2U, 3U, 4U})
    REQUIRE(lane.submit(t, "k" + std::to_string(t), 10s));
  CHECK(lane.tick(start).start == tickets{1, 2});
  CHECK(lane.tick(start).start.empty());
  lane.finished(2);
  CHECK(lane.tick(start + 1ms).start == tickets{3});
  lane.finished(1);
  lane.finished(3);
  CHECK(lane.tick(start + 2ms).start == tickets{4});
  CHECK(lane.running() == 1);
  CHECK(lane.waiting() == 0);
}

TEST_CASE("lane: stuck operations -> give their places away, until there are too many threads") {
  auto lane = narrow();
  for (lane_schedule::ticket t = 1; t <= 7; ++t)
    lane.submit(t, "k" + std::to_string(t), 10s);
  const auto first = lane.tick(start);
  CHECK(first.start == tickets{1, 2});
  CHECK(first.wake == start + 50ms);
  CHECK(lane.tick(start + 49ms).start.empty());
  CHECK(lane.tick(start + 50ms).start == tickets{3, 4});
  const auto full = lane.tick(start + 100ms);
  CHECK(full.start.empty()); // four threads
  CHECK(full.wake == start + 10s);
  lane.finished(1);
  CHECK(lane.tick(start + 101ms).start == tickets{5});
}

TEST_CASE("lane: stuck ones in a row -> each width of them shortens the patience, until one ends") {
  lane_schedule lane{{2, 100, 64ms}};
  for (lane_schedule::ticket t = 1; t <= 40; ++t)
    lane.submit(t, "k" + std::to_string(t), 10s);
  auto now = start;
  std::vector<duration> pauses;
  for (auto orders = lane.tick(now); pauses.size() < 8; orders = lane.tick(now)) {
    CHECK(orders.start.size() == 2);
    pauses.push_back(*orders.wake - now);
    now = *orders.wake;
  }
  CHECK(pauses == std::vector<duration>{64ms, 32ms, 16ms, 8ms, 4ms, 2ms, 1ms, 1ms});
  lane.finished(1);
  CHECK(lane.tick(now).wake == now + 64ms);
}

TEST_CASE("lane: nobody waits -> no timer for patience") {
  auto lane = narrow();
  lane.submit(1, "a", 10s);
  CHECK(lane.tick(start).wake == start + 10s);
  lane.finished(1);
  CHECK_FALSE(lane.tick(start).wake);
}

TEST_CASE("lane: over its deadline -> expired once, its thread counted until it returns") {
  auto lane = narrow();
  lane.submit(1, "a", 1s);
  lane.tick(start);
  CHECK(lane.tick(start + 1s - 1ns).expired.empty());
  const auto late = lane.tick(start + 1s);
  CHECK(late.expired == tickets{1});
  CHECK_FALSE(late.wake);
  CHECK(lane.tick(start + 2s).expired.empty());
  CHECK(lane.running() == 1);
  CHECK_FALSE(lane.submit(2, "a", 1s)); // its key is still on a thread
  lane.finished(1);
  CHECK(lane.running() == 0);
  CHECK(lane.submit(2, "a", 1s));
}

TEST_CASE("lane: the deadline -> counts from the start, not from the queue") {
  lane_schedule lane{{1, 1, 50ms}};
  lane.submit(1, "a", 10s);
  lane.submit(2, "b", 1s);
  lane.tick(start);
  CHECK(lane.tick(start + 5s).expired.empty());
  lane.finished(1);
  CHECK(lane.tick(start + 5s).start == tickets{2});
  CHECK(lane.tick(start + 6s).expired == tickets{2});
}

TEST_CASE("lane: the same key -> refused while it waits or runs") {
  auto lane = narrow();
  CHECK(lane.submit(1, "a", 1s));
  CHECK_FALSE(lane.submit(2, "a", 1s));
  lane.tick(start);
  CHECK_FALSE(lane.submit(3, "a", 1s));
  CHECK(lane.submit(4, "b", 1s));
  lane.finished(1);
  CHECK(lane.submit(5, "a", 1s));
}

TEST_CASE("lane: withdraw -> takes what waits, not what runs") {
  lane_schedule lane{{1, 4, 50ms}};
  lane.submit(1, "a", 1s);
  lane.submit(2, "b", 1s);
  lane.tick(start);
  CHECK_FALSE(lane.withdraw(1));
  CHECK(lane.withdraw(2));
  CHECK_FALSE(lane.withdraw(2));
  CHECK_FALSE(lane.withdraw(99));
  CHECK(lane.submit(3, "b", 1s)); // its key is free again
  lane.finished(99);
  CHECK(lane.running() == 1);
}

/// A lane among operations that end when they like, hang, expire and are withdrawn.
class lane_world {
public:
  explicit lane_world(std::uint64_t seed) : dice_(seed) {
    limits_ = {1 + dice_.below(3), 0, std::chrono::milliseconds{20 + dice_.below(60)}};
    limits_.most = limits_.width + dice_.below(4);
    lane_ = lane_schedule{limits_};
  }

  void disturb() {
    now_ += std::chrono::milliseconds{dice_.below(30)};
    const auto roll = dice_.below(10);
    if (roll < 5)
      submit();
    else if (roll < 8 && !running_.empty())
      finish(std::next(running_.begin(), static_cast<std::ptrdiff_t>(dice_.below(running_.size())))
               ->first);
    else if (!queue_.empty())
      withdraw();
    tick();
  }

  /// All that runs returns in time; true when nothing is left waiting.
  bool drains() {
    for (int i = 0; i < 500 && !(queue_.empty() && running_.empty()); ++i) {
      if (!running_.empty())
        finish(running_.begin()->first);
      tick();
    }
    return queue_.empty() && running_.empty() && lane_.running() == 0 && lane_.waiting() == 0;
  }

  std::string violation;

private:
  struct op {
    std::string key;
    duration limit{};
    instant began{};
    bool expired = false;
    bool stuck = false;
  };

  void expect(bool ok, const char* what) {
    if (!ok && violation.empty())
      violation = what;
  }

  bool busy(const std::string& key) const {
    const auto same = [&](const auto& each) { return each.second.key == key; };
    return std::any_of(running_.begin(), running_.end(), same)
           || std::any_of(queue_.begin(), queue_.end(), same);
  }

  void submit() {
    const auto key = "k" + std::to_string(dice_.below(12));
    const auto limit = std::chrono::milliseconds{1 + dice_.below(300)};
    const bool free = !busy(key);
    expect(lane_.submit(++last_, key, limit) == free, "a key was taken wrongly, or refused");
    if (free)
      queue_.emplace_back(last_, op{key, limit, {}, false});
  }

  void finish(lane_schedule::ticket t) {
    running_.erase(t);
    lane_.finished(t);
    stuck_in_row_ = 0;
  }

  void withdraw() {
    const auto i = static_cast<std::ptrdiff_t>(dice_.below(queue_.size()));
    expect(lane_.withdraw(queue_[static_cast<std::size_t>(i)].first), "it would not go");
    queue_.erase(queue_.begin() + i);
  }

  std::size_t moving() const {
    return static_cast<std::size_t>(
      std::count_if(running_.begin(), running_.end(),
                    [&](const auto& each) { return !each.second.expired && !each.second.stuck; }));
  }

  duration patience() const {
    auto result = limits_.patience;
    for (auto n = stuck_in_row_; n >= limits_.width && result > limits_.patience / 64;
         n -= limits_.width)
      result /= 2;
    return result;
  }

  void note_stuck() {
    const auto next = [&] {
      return std::find_if(running_.begin(), running_.end(), [&](const auto& each) {
        return !each.second.stuck && !each.second.expired && now_ - each.second.began >= patience();
      });
    };
    for (auto it = next(); it != running_.end(); it = next()) {
      it->second.stuck = true;
      ++stuck_in_row_;
    }
  }

  void tick() {
    const auto orders = lane_.tick(now_);
    for (const auto t : orders.expired) {
      const auto it = running_.find(t);
      expect(it != running_.end() && !it->second.expired, "expired twice, or what does not run");
      if (it == running_.end())
        continue;
      expect(it->second.began + it->second.limit <= now_, "expired before its deadline");
      it->second.expired = true;
    }
    note_stuck();
    for (const auto t : orders.start) {
      expect(!queue_.empty() && queue_.front().first == t, "started out of order");
      if (queue_.empty())
        return;
      expect(moving() < limits_.width, "wider than its width");
      running_.emplace(t, queue_.front().second).first->second.began = now_;
      queue_.erase(queue_.begin());
    }
    expect(running_.size() <= limits_.most, "too many threads");
    expect(queue_.empty() || moving() >= limits_.width || running_.size() >= limits_.most,
           "a place stays empty");
    expect(lane_.running() == running_.size() && lane_.waiting() == queue_.size(), "lost count");
    check_wake(orders.wake);
  }

  /// It wakes no later than the first deadline, and than the first that turns out to be stuck while
  /// others wait.
  void check_wake(const std::optional<instant>& wake) {
    for (const auto& [t, each] : running_) {
      expect(each.expired || each.began + each.limit > now_, "not told that it expired");
      if (!each.expired)
        expect(wake && *wake <= each.began + each.limit, "would sleep over a deadline");
      const auto stuck_at = each.began + patience();
      if (!each.expired && !each.stuck && !queue_.empty())
        expect(wake && *wake <= stuck_at, "would sleep over a stuck one");
    }
    expect(!wake || *wake > now_, "wakes at once, for ever");
  }

  dice dice_;
  instant now_ = start;
  std::size_t stuck_in_row_ = 0;
  lane_limits limits_;
  lane_schedule lane_;
  lane_schedule::ticket last_ = 0;
  std::map<lane_schedule::ticket, op> running_;
  std::vector<std::pair<lane_schedule::ticket, op>> queue_;
};

TEST_CASE("lane: 10000 random courses -> invariants hold, and all is served in the end") {
  for (std::uint64_t seed = 1; seed <= 10000; ++seed) {
    lane_world w{seed};
    for (int n = 0; n < 60 && w.violation.empty(); ++n)
      w.disturb();
    const bool drained = w.drains();
    INFO("seed " << seed << ": " << w.violation);
    if (!drained || !w.violation.empty())
      FAIL();
  }
}

} // namespace

} // namespace harmony::test
