// The protocol among faults: thousands of seeded histories of a whole cluster, each held to what
// is promised at every instant; and the same with one rule broken, which must show.

#include <cstdlib>

#include "sim/failover/world.hpp"
#include "support/catch.hpp"

namespace harmony::failover::sim {

namespace {

constexpr std::uint64_t first_seed = 20261127;

/// HARMONY_FAILOVER_HISTORIES: how many of each kind; a few by default.
std::uint64_t histories(std::uint64_t usually) {
  const auto* wanted = std::getenv("HARMONY_FAILOVER_HISTORIES");
  return wanted == nullptr ? usually : std::strtoull(wanted, nullptr, 10);
}

void add(world::figures& all, const world::figures& f) {
  all.promotions += f.promotions;
  all.acknowledged += f.acknowledged;
  all.guard_kills += f.guard_kills;
  all.rewinds += f.rewinds;
  all.releases += f.releases;
  all.rollbacks += f.rollbacks;
  all.lost += f.lost;
  all.forced += f.forced;
  all.shutdowns += f.shutdowns;
}

/// Stops at the first history in which something is.
world::figures none_is_broken(options o, std::uint64_t count) {
  world::figures all;
  for (std::uint64_t i = 0; i < count; ++i) {
    o.seed = first_seed + i;
    world w{o};
    w.run();
    add(all, w.counted());
    if (w.violation().empty())
      continue;
    INFO("history " << i + 1 << ", seed " << o.seed << "\n" << w.story());
    REQUIRE(w.violation().empty());
  }
  CHECK(all.promotions > count);
  CHECK(all.acknowledged > 50 * count); // else the histories are too tame to say anything
  return all;
}

/// The number of the first history that is unsafe, counted from 1; 0: none is.
std::uint64_t found_after(options o, std::uint64_t most, bool stuck_too = false) {
  most = histories(most);
  for (std::uint64_t i = 0; i < most; ++i) {
    o.seed = first_seed + i;
    world w{o};
    w.run();
    if (w.unsafe() || (stuck_too && !w.violation().empty()))
      return i + 1;
  }
  return 0;
}

TEST_CASE("failover: asynchronous histories -> one writable at every instant; all recover") {
  const auto f = none_is_broken({.mode = sync_mode::async}, histories(100));
  CHECK(f.guard_kills > 0);
  CHECK(f.rewinds > 0);
  CHECK(f.releases > 0);
  CHECK(f.rollbacks > 0);
  CHECK(f.lost > 0); // what asynchronous replication may lose
}

TEST_CASE("failover: strict histories -> no acknowledged commit is lost") {
  none_is_broken({.mode = sync_mode::strict}, histories(100));
}

TEST_CASE("failover: quorum histories -> no acknowledged commit is lost") {
  none_is_broken({.mode = sync_mode::quorum}, histories(100));
}

TEST_CASE("failover: five members, quorum -> no acknowledged commit is lost") {
  none_is_broken({.mode = sync_mode::quorum, .nodes = 5}, histories(50));
}

TEST_CASE("failover: two members, strict -> no acknowledged commit is lost") {
  none_is_broken({.mode = sync_mode::strict, .nodes = 2}, histories(50));
}

// Synchronous standbys fence by themselves: whoever has reported gives no acknowledgement.
TEST_CASE("failover: synchronous without a guard -> no acknowledged commit is lost") {
  none_is_broken({.mode = sync_mode::strict, .what = broken::guard, .two_may_write = true},
                 histories(100));
  none_is_broken({.mode = sync_mode::quorum, .what = broken::guard, .two_may_write = true},
                 histories(100));
}

TEST_CASE("failover: the guard never kills -> found") {
  CHECK(found_after({.what = broken::guard, .only = {fault::freeze_agent}}, 300) > 0);
}

TEST_CASE("failover: the window goes on over a reconnection -> found") {
  CHECK(
    found_after({.what = broken::window, .only = {fault::cut_store, fault::store_forgets}}, 3000)
    > 0);
}

TEST_CASE("failover: deadlines count from the answer -> found") {
  CHECK(found_after({.what = broken::send_time, .only = {fault::stutter}}, 3000) > 0);
}

TEST_CASE("failover: a release that is only found is believed -> found") {
  CHECK(found_after({.what = broken::found_release,
                     .only = {fault::operator_acts, fault::store_forgets, fault::kill_postgres}},
                    3000)
        > 0);
}

TEST_CASE("failover: who finds its own sequence goes on -> found") {
  CHECK(found_after({.what = broken::kept_sequence, .only = {fault::isolate, fault::store_forgets}},
                    3000)
        > 0);
}

TEST_CASE("failover: a member that has reported goes on receiving -> found") {
  CHECK(found_after({.mode = sync_mode::quorum,
                     .what = broken::frozen_promise,
                     .two_may_write = true,
                     .only = {fault::freeze_agent, fault::cut_peers}},
                    3000)
        > 0);
}

TEST_CASE("failover: a synchronous set is named too early -> found") {
  CHECK(found_after({.mode = sync_mode::strict,
                     .what = broken::early_sync_set,
                     .only = {fault::power_cut, fault::slow_standby}},
                    3000)
        > 0);
}

TEST_CASE("failover: what was replayed after a start counts as all that is there -> found") {
  CHECK(found_after({.mode = sync_mode::quorum,
                     .what = broken::guessed_end,
                     .only = {fault::power_cut, fault::kill_postgres, fault::slow_standby}},
                    3000)
        > 0);
}

TEST_CASE("failover: whoever starts under the deadline of a release goes on -> found") {
  CHECK(found_after({.what = broken::armed_release,
                     .only = {fault::operator_acts, fault::kill_agent, fault::shut_down}},
                    3000)
        > 0);
}

TEST_CASE("failover: an order stands for ever -> found") {
  CHECK(found_after(
          {.what = broken::kept_order, .only = {fault::operator_forces, fault::power_cut}}, 300)
        > 0);
}

TEST_CASE("failover: a promotion waits for half a record -> found") {
  CHECK(found_after({.what = broken::half_record, .only = {fault::power_cut}}, 300, true) > 0);
}

} // namespace

} // namespace harmony::failover::sim
