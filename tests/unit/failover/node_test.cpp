// The actor around the machine: what it carries out, in which order, and what it never waits for.

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "unit/failover/fakes.hpp"

using namespace harmony::failover;
using namespace harmony::failover::test;
using namespace std::chrono_literals;
using harmony::test::eventually;

namespace {

bool becomes_primary(const node& n) {
  return eventually([&] { return n.look().state.at == phase::holding; }, 20s);
}

/// The record of a claim of `a`, under which its PostgreSQL was left writable.
lease_record held_before() {
  lease_record r;
  r.epoch = 7;
  r.holder = r.primary = "a";
  r.incarnation = "a-earlier";
  r.nonce = 3;
  r.state = lease_state::held;
  r.lease_ms = 1500;
  r.system_id = 42;
  r.timeline = 1;
  r.reserved = 1;
  return r;
}

} // namespace

TEST_CASE("node: the first member makes the cluster and keeps its lease") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  const auto first = b.store->lease();
  REQUIRE(first->holder == "a");
  CHECK(first->state == lease_state::held);
  CHECK(b.store->pages() == 1);
  CHECK(b.heard("lease-taken"));
  CHECK(eventually([&] { return b.store->lease()->nonce > first->nonce + 3; }, 20s));
}

TEST_CASE("node: an order that hangs delays no renewal") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  b.postgres->hang();
  const auto before = b.store->lease()->nonce;
  CHECK(eventually([&] { return b.store->lease()->nonce > before + 10; }, 20s));
  CHECK(a->look().state.at == phase::holding);
}

TEST_CASE("node: a disk that hangs delays no renewal") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  b.disk_hangs = true;
  b.store->order({"1", command_kind::pause, "", false, "an operator"}); // to be remembered
  REQUIRE(eventually([&] { return b.store->lease()->paused; }, 20s));
  const auto before = b.store->lease()->nonce;
  CHECK(eventually([&] { return b.store->lease()->nonce > before + 40; }, 20s)); // over a lease
  CHECK(a->look().state.at == phase::holding);
  b.disk_hangs = false;
}

TEST_CASE("node: one that is started again under a live deadline goes on as the holder") {
  bench b;
  fx::cas write;
  write.record = held_before();
  b.store->cas(write);
  b.postgres->armed_before(boottime_now() + 20s, 7);
  memory kept;
  kept.newest = held_before();
  const auto a = b.start("a", kept);
  REQUIRE(becomes_primary(*a));
  CHECK(a->look().settings.incarnation == "a-earlier");
  CHECK(eventually([&] { return b.store->lease()->nonce > 3; }, 20s));
  CHECK(b.postgres->orders().empty());
}

TEST_CASE("node: a deadline of another claim is nothing to go on with") {
  bench b;
  b.postgres->armed_before(boottime_now() + 20s, 6);
  memory kept;
  kept.newest = held_before();
  const auto a = b.start("a", kept);
  REQUIRE(eventually([&] { return !b.postgres->orders().empty(); }, 20s));
  CHECK(b.postgres->orders().front() == "stop"); // writable without a lease
}

TEST_CASE("node: what cannot be remembered is not claimed") {
  bench b;
  b.disk_full = true;
  const auto a = b.start("a");
  REQUIRE(eventually(
    [&] {
      const std::lock_guard guard{b.mutex};
      return !b.alarms.empty();
    },
    20s));
  CHECK_FALSE(eventually([&] { return b.store->lease().has_value(); }, 2s));
  b.disk_full = false;
  REQUIRE(becomes_primary(*a));
  const std::lock_guard guard{b.mutex};
  CHECK(b.kept.floor == b.store->lease()->epoch);
}

TEST_CASE("node: handing over stops PostgreSQL, and then gives the lease away") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  CHECK(a->hand_over(boottime_now() + 20s));
  CHECK(b.store->lease()->state == lease_state::released);
  CHECK_FALSE(b.postgres->state().running);
  CHECK_FALSE(b.postgres->guard().deadline);
}

TEST_CASE("node: nothing is given away while the guard keeps a deadline") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  b.postgres->keep_deadline();
  CHECK(a->hand_over(boottime_now() + 20s)); // by then the lease has run out
  CHECK(b.store->lease()->state == lease_state::held);
}

TEST_CASE("node: a stop ends a standby's PostgreSQL, too") {
  bench b;
  const auto c = b.start("c"); // it may not create the cluster
  REQUIRE(eventually([&] { return b.postgres->state().running; }, 20s));
  CHECK(c->stop(boottime_now() + 20s).ok());
  CHECK_FALSE(b.postgres->state().running);
  CHECK_FALSE(b.store->lease().has_value());
}

TEST_CASE("node: a stop that PostgreSQL does not answer fails in time") {
  bench b;
  const auto c = b.start("c");
  REQUIRE(eventually([&] { return b.postgres->state().running; }, 20s));
  b.postgres->hang();
  const auto done = c->stop(boottime_now() + 200ms);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == harmony::ec::timed_out);
}

TEST_CASE("node: its conduct changes while it runs") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  const auto incarnation = a->look().settings.incarnation;
  auto c = config_of("a");
  c.mode = sync_mode::strict;
  a->reconfigure(c);
  CHECK(eventually([&] { return b.postgres->state().names.k == 1; }, 20s));
  CHECK(a->look().settings.incarnation == incarnation);
  CHECK(a->look().state.at == phase::holding);
}

TEST_CASE("node: a pause that an operator orders is in the record") {
  bench b;
  const auto a = b.start("a");
  REQUIRE(becomes_primary(*a));
  b.store->order({"1", command_kind::pause, "", false, "an operator"});
  CHECK(eventually([&] { return b.store->lease()->paused; }, 20s));
  CHECK(eventually([&] { return b.store->empty_of_orders(); }, 20s));
}
