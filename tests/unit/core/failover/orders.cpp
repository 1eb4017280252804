// What operators order, and what becomes of an order that nobody carries out.

#include <algorithm>

#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

cluster_command order(command_kind kind, const std::string& to = "", const std::string& id = "1") {
  return {id, kind, to, kind == command_kind::failover, "ann"};
}

/// In an election in which it may not take over without an order: it lags too much.
rig refused(std::uint32_t priority = 1) {
  auto m = rig{};
  m.settings.priority = priority;
  m.record = record_of_a();
  m.record->flush_lsn = 1000 + (17U << 20U);
  m.sequence = 7;
  m.on(ev::guard{true, {}});
  m.on(ev::connected{1, "s"});
  m.sees(streaming());
  m.wait(3500ms);
  m.done();
  m.sees(alone());
  return m;
}

/// Another one that has reported.
member_heartbeat report_of_c(std::uint64_t n, lsn at) {
  auto b = beat_of("c", n);
  b.frozen = frozen_report{6, 1, at};
  return b;
}

TEST_CASE("orders: one that was taken away -> forgotten") {
  auto m = follower();
  m.on(ev::command{order(command_kind::failover, "b")});
  m.on(ev::command_gone{"1"});
  CHECK(m.state.orders.empty());
}

TEST_CASE("orders: nobody takes it in time -> refused and taken away") {
  auto m = follower();
  m.on(ev::command{order(command_kind::failover, "b")});
  auto r = record_of_a();
  for (int i = 0; i < 20; ++i) { // the primary lives
    m.wait(500ms);
    r.nonce += 1;
    m.holds(r);
  }
  CHECK(m.state.orders.size() == 1);
  CHECK(m.wait(500ms) == "Following: consume");
  CHECK(m.state.orders.empty());
}

TEST_CASE("orders: another server -> only what stands there") {
  auto m = follower();
  m.on(ev::command{order(command_kind::failover, "b")});
  m.on(ev::connected{2, "other"});
  CHECK(m.state.orders.empty());
}

TEST_CASE("orders: a failover without a name -> the best member takes it") {
  auto m = refused();
  m.beat(report_of_c(1, 2000));
  m.beat(report_of_c(2, 2000));
  CHECK(m.on(ev::command{order(command_kind::failover)}) == "Electing");
  CHECK(m.state.why_not == refusal::lag_too_large);
  m.beat(report_of_c(3, 900));
  CHECK(m.state.at == phase::claiming);
}

TEST_CASE("orders: priority 0 -> takes a failover that names it, no other") {
  auto m = refused(0);
  CHECK(m.on(ev::command{order(command_kind::failover)}) == "Electing");
  CHECK(m.on(ev::command{order(command_kind::failover, "b", "2")}) == "Claiming: CAS promoting");
}

TEST_CASE("orders: a claim by order that failed -> the next one needs an order too") {
  auto m = refused();
  m.on(ev::command{order(command_kind::failover, "b")});
  m.acknowledged();
  CHECK(m.guarded(false) == "Releasing: stop");
  m.done();
  m.sees(stopped());
  m.acknowledged();
  CHECK(m.record->state == lease_state::released);
  m.guarded();
  m.done();
  m.sees(alone());
  m.wait(4s);
  CHECK(m.state.at == phase::electing);
  CHECK(m.state.why_not == refusal::lag_too_large);
}

TEST_CASE("orders: somebody took over -> a failover is over") {
  auto m = refused();
  m.on(ev::command{order(command_kind::failover, "c")});
  auto r = *m.record;
  r.epoch = 6;
  r.holder = "c";
  m.holds(r);
  CHECK(m.state.orders.empty());
}

TEST_CASE("orders: a pause -> outlasts a release and a claim") {
  auto m = holder();
  CHECK(m.on(ev::command{order(command_kind::pause)}) == "Holding: consume, CAS held paused");
  m.acknowledged();
  CHECK(m.on(ev::shutdown{}) == "Releasing: stop");
  m.done();
  CHECK(m.sees(stopped()) == "Releasing: disarm guard, CAS released paused");
  SECTION("nobody else takes over") {
    auto other = follower();
    auto r = *m.state.request->record;
    r.holder = "a";
    CHECK(other.holds(r) == "Following");
    CHECK(other.state.why_not == refusal::paused);
    SECTION("until it is over") {
      CHECK(other.on(ev::command{order(command_kind::resume)}) == "Freezing: end walreceiver");
      other.done();
      CHECK(other.sees(alone()) == "Claiming: CAS promoting");
    }
    SECTION("but who was named, and it stays paused") {
      r.nonce += 1;
      r.successor = "b";
      CHECK(other.holds(r) == "Freezing: end walreceiver");
      other.done();
      CHECK(other.sees(alone()) == "Claiming: CAS promoting paused");
    }
  }
}

TEST_CASE("orders: a pause after a resume -> holds") {
  auto m = follower();
  auto r = record_of_a();
  r.nonce = 2;
  r.paused = true;
  m.holds(r);
  m.on(ev::command{order(command_kind::resume)});
  m.on(ev::command{order(command_kind::pause, "", "2")});
  CHECK(m.wait(5s) == "Following");
  CHECK(m.state.why_not == refusal::paused);
}

TEST_CASE("orders: a switchover in a pause -> only to a member that is named") {
  auto m = holder();
  m.beat(beat_of("c", 1));
  m.beat(beat_of("c", 2));
  m.on(ev::command{order(command_kind::pause)});
  CHECK(m.on(ev::command{order(command_kind::switchover, "", "2")}) == "Holding: consume");
  CHECK(m.on(ev::command{order(command_kind::switchover, "c", "3")}) == "Releasing: consume, stop");
}

TEST_CASE("orders: a switchover that ends with the lease -> the next release names nobody") {
  auto m = holder();
  m.beat(beat_of("c", 1));
  m.beat(beat_of("c", 2));
  m.on(ev::command{order(command_kind::switchover, "c")});
  CHECK(m.state.successor == "c");
  m.answers = false;
  m.on(ev::disconnected{});
  m.wait(2s);
  CHECK_FALSE(m.state.lease);
  CHECK(m.state.successor.empty());
}

} // namespace

} // namespace harmony::failover::test
