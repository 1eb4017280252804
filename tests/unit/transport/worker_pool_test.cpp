#include "transport/worker_pool.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <memory>

#include "support/catch.hpp"
#include "transport/callback_gate.hpp"

namespace harmony {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("worker pool: one job hangs -> the others run") {
  worker_pool pool;
  std::promise<void> release;
  auto released = release.get_future().share();
  REQUIRE(pool.post([released] { released.wait(); }, 8));
  for (int i = 0; i < 20; ++i) {
    auto ran = std::make_shared<std::promise<void>>();
    auto done = ran->get_future();
    // Far above two: jobs that just ended may still count for a moment.
    REQUIRE(pool.post([ran] { ran->set_value(); }, 64));
    REQUIRE(done.wait_for(seconds{20}) == std::future_status::ready);
  }
  release.set_value();
  CHECK(pool.close(seconds{20}));
}

TEST_CASE("worker pool: as many jobs as the limit -> the next is refused") {
  worker_pool pool;
  std::promise<void> release;
  auto released = release.get_future().share();
  for (int i = 0; i < 4; ++i)
    REQUIRE(pool.post([released] { released.wait(); }, 4));
  CHECK_FALSE(pool.post([] {}, 4));
  auto ran = std::make_shared<std::promise<void>>();
  auto done = ran->get_future();
  REQUIRE(pool.post([ran] { ran->set_value(); }, 5)); // a kind with more room
  CHECK(done.wait_for(seconds{20}) == std::future_status::ready);
  release.set_value();
  CHECK(pool.close(seconds{20}));
  CHECK_FALSE(pool.post([] {}, 4));
}

TEST_CASE("worker pool: closed while a job hangs -> does not wait for it") {
  auto released = std::make_shared<std::promise<void>>();
  auto ended = std::make_shared<std::promise<void>>();
  auto end = ended->get_future();
  {
    worker_pool pool{[ended] { ended->set_value(); }};
    REQUIRE(pool.post([wait = released->get_future().share()] { wait.wait(); }, 1));
    CHECK_FALSE(pool.close(milliseconds{10}));
  }
  released->set_value(); // the pool is gone, its thread is not
  CHECK(end.wait_for(seconds{20}) == std::future_status::ready);
}

TEST_CASE("callback gate: shut -> silent, also from within") {
  int calls = 0;
  callback_gate<std::function<void(int)>> gate{[&](int) { ++calls; }};
  gate.call(1);
  gate.shut();
  gate.call(2);
  CHECK(calls == 1);

  std::function<void()> shut;
  callback_gate<std::function<void()>> self{[&] {
    ++calls;
    shut();
  }};
  shut = [&] { self.shut(); };
  self.call();
  self.call();
  CHECK(calls == 2);
}

} // namespace harmony
