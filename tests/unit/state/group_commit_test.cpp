#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "state/commit_queue.hpp"
#include "state/state_store.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony {
namespace {

using test::temp_dir;

/// A commit that waits until it is let go, so that a test decides what queues up meanwhile.
struct gated_commit {
  std::mutex mutex;
  std::condition_variable changed;
  int entered = 0;
  int let_go = 0;
  std::vector<std::vector<int>> batches;

  outcome<void> operator()(const std::vector<const int*>& jobs) {
    std::unique_lock guard{mutex};
    std::vector<int> batch;
    for (const int* j : jobs)
      batch.push_back(*j);
    batches.push_back(batch);
    ++entered;
    changed.notify_all();
    changed.wait(guard, [&] { return let_go >= entered; });
    return {};
  }

  void await_entered(int n) {
    std::unique_lock guard{mutex};
    changed.wait(guard, [&] { return entered >= n; });
  }

  void let(int n) {
    const std::lock_guard guard{mutex};
    let_go = n;
    changed.notify_all();
  }
};

const auto admit_all = [] { return outcome<void>{}; };
const auto ignore = [](const outcome<void>&) {};

TEST_CASE("commit_queue: callers during a commit -> share the next one") {
  gated_commit gate;
  commit_queue<int> queue{[&](const auto& jobs) { return gate(jobs); }};
  std::vector<std::thread> callers;
  std::atomic<int> queued{0};
  callers.emplace_back([&] { (void)queue.submit(1, admit_all, ignore); });
  gate.await_entered(1);
  for (int i = 2; i <= 8; ++i)
    callers.emplace_back([&, i] {
      (void)queue.submit(
        i,
        [&] {
          ++queued; // under the queue's lock: once it is free again, this job waits in it
          return outcome<void>{};
        },
        ignore);
    });
  while (queued < 7)
    std::this_thread::yield();
  queue.locked([] { return 0; });
  gate.let(2);
  for (auto& c : callers)
    c.join();
  REQUIRE(gate.batches.size() == 2);
  CHECK(gate.batches[0] == std::vector{1});
  CHECK(std::set<int>(gate.batches[1].begin(), gate.batches[1].end())
        == std::set<int>{2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("commit_queue: refused by admit -> not committed") {
  int commits = 0;
  commit_queue<int> queue{[&](const auto&) {
    ++commits;
    return outcome<void>{};
  }};
  const auto refused = queue.submit(
    1,
    [] {
      return outcome<void>{ec::name_conflict, "no"};
    },
    ignore);
  CHECK_FALSE(refused.ok());
  CHECK(commits == 0);
}

TEST_CASE("commit_queue: one bad job in a batch -> only its caller fails") {
  gated_commit gate;
  commit_queue<int> queue{[&](const std::vector<const int*>& jobs) -> outcome<void> {
    (void)gate(jobs);
    for (const int* j : jobs)
      if (*j == 3)
        return {ec::disk_full, "3 is too big"};
    return {};
  }};
  std::vector<std::thread> callers;
  std::atomic<int> queued{0};
  std::atomic<int> failed{0};
  std::atomic<int> which{0};
  callers.emplace_back([&] { (void)queue.submit(1, admit_all, ignore); });
  gate.await_entered(1);
  for (int i = 2; i <= 4; ++i)
    callers.emplace_back([&, i] {
      const auto done = queue.submit(
        i,
        [&] {
          ++queued;
          return outcome<void>{};
        },
        ignore);
      if (!done) {
        ++failed;
        which = i;
      }
    });
  while (queued < 3)
    std::this_thread::yield();
  queue.locked([] { return 0; });
  gate.let(1000);
  for (auto& c : callers)
    c.join();
  CHECK(failed == 1);
  CHECK(which == 3);
}

TEST_CASE("state_store: claims from 8 threads -> all there at once and after reopening") {
  const temp_dir dir;
  constexpr int threads = 8;
  constexpr int each = 63;
  {
    auto store = state_store::open(dir.str());
    REQUIRE(store.ok());
    std::atomic<int> failures{0};
    std::vector<std::thread> claimers;
    for (int t = 0; t < threads; ++t)
      claimers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          const auto name = "f" + std::to_string(t) + "-" + std::to_string(i);
          if (!(*store)->claim({{"File", name}, "/etc/" + name}))
            ++failures;
          if (!(*store)->find({"File", name}, "/etc/" + name))
            ++failures;
        }
      });
    for (auto& c : claimers)
      c.join();
    CHECK(failures == 0);
  }
  const auto again = state_store::open(dir.str());
  REQUIRE(again.ok());
  CHECK((*again)->all().size() == threads * each);
}

TEST_CASE("state_store: threads race for one target -> exactly one has it") {
  const auto store = state_store::in_memory();
  for (int round = 0; round < 50; ++round) {
    const auto target = "/etc/" + std::to_string(round);
    std::atomic<int> winners{0};
    std::vector<std::thread> claimers;
    for (int t = 0; t < 4; ++t)
      claimers.emplace_back([&, t] {
        if (store->claim({{"File", "f" + std::to_string(t)}, target}))
          ++winners;
      });
    for (auto& c : claimers)
      c.join();
    CHECK(winners == 1);
  }
  CHECK(store->all().size() == 50);
}

TEST_CASE("state_store: claim and release of one target by its owner, raced -> mirror is disk") {
  const temp_dir dir;
  std::vector<owned_target> mirror;
  {
    auto store = state_store::open(dir.str());
    REQUIRE(store.ok());
    std::vector<std::thread> workers;
    for (int t = 0; t < 4; ++t)
      workers.emplace_back([&, t] {
        for (int i = 0; i < 40; ++i) {
          const owned_target mine{
            {"File", "shared"}, "/etc/" + std::to_string(i % 5), true, std::to_string(t)};
          if ((i + t) % 2 == 0)
            (void)(*store)->claim(mine);
          else
            (void)(*store)->release(mine.owner, mine.target);
        }
      });
    for (auto& w : workers)
      w.join();
    mirror = (*store)->all();
  }
  const auto again = state_store::open(dir.str());
  REQUIRE(again.ok());
  CHECK((*again)->all() == mirror);
}

} // namespace
} // namespace harmony
