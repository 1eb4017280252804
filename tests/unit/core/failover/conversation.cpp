// The failover machine, told as conversations: event, then phase and what it asks for.

#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

TEST_CASE("failover: the primary falls silent -> frozen, elected, promoted, held") {
  auto m = follower();
  CHECK(m.wait(3400ms) == "Following");
  CHECK(m.wait(100ms) == "Freezing: end walreceiver");
  m.done();
  CHECK(m.sees(alone()) == "Claiming: CAS promoting");
  CHECK(m.acknowledged() == "Promoting: arm guard");
  CHECK(m.guarded() == "Promoting: promote");
  m.done();
  CHECK(m.sees(primary()) == "Promoting: CAS held");
  CHECK(m.acknowledged() == "Holding: arm guard, publish history, checkpoint");
  CHECK(m.record->epoch == 6);
  CHECK(m.record->timeline == 2);
  CHECK(m.record->parent == 1);
}

TEST_CASE("failover: a renewal within the window -> it begins again") {
  auto m = follower();
  m.wait(3400ms);
  auto r = record_of_a();
  r.nonce = 2;
  m.holds(r);
  CHECK(m.wait(3400ms) == "Following");
  CHECK(m.state.why_not == refusal::window_running);
  CHECK(m.wait(100ms) == "Freezing: end walreceiver");
}

TEST_CASE("failover: a gap in its own time -> the window begins again") {
  auto m = follower();
  m.wait(3400ms);
  m.now += 1100ms;
  m.on(ev::tick{});
  CHECK(m.wait(3400ms) == "Following");
  CHECK(m.wait(100ms) == "Freezing: end walreceiver");
}

TEST_CASE("failover: a release -> believed if it was seen to happen, not if it was found") {
  auto r = record_of_a();
  r.nonce = 2;
  r.state = lease_state::released;
  SECTION("seen") {
    auto m = follower();
    CHECK(m.holds(r) == "Freezing: end walreceiver");
  }
  SECTION("found after a reconnection") {
    auto m = follower();
    m.record = r;
    m.on(ev::disconnected{});
    m.on(ev::connected{2, "s"});
    CHECK(m.wait(3400ms) == "Following");
    CHECK(m.wait(100ms) == "Freezing: end walreceiver");
  }
}

TEST_CASE("failover: the log still arrives after the window -> no takeover, an alarm") {
  auto m = follower();
  for (int i = 0; i < 40; ++i) {
    auto pg = streaming();
    pg.received += 100 * static_cast<lsn>(i);
    m.wait(100ms);
    m.sees(pg);
  }
  CHECK(m.state.at == phase::following);
  CHECK(m.state.why_not == refusal::primary_still_streams);
}

TEST_CASE("failover: a holder whose renewals are not answered -> stops in time") {
  auto m = holder();
  m.answers = false;
  const auto sent = m.state.lease->sent;
  m.on(ev::disconnected{});
  while (m.state.at == phase::holding)
    m.wait(100ms);
  CHECK(m.state.at == phase::demoting);
  CHECK(m.now - sent >= 1500ms);
  CHECK(m.now - sent <= 1600ms);
  CHECK_FALSE(m.state.lease);
}

TEST_CASE("failover: a renewal without an answer -> read before the next, the deadline stays") {
  auto m = holder();
  m.wait(500ms);
  REQUIRE(m.state.request);
  const auto sent = m.state.lease->sent;
  m.answers = false;
  CHECK(m.on(ev::request_failed{m.state.request->number}) == "Holding");
  m.now += 125ms;
  CHECK(m.on(ev::tick{}) == "Holding: read");
  CHECK(m.state.lease->sent == sent);
  CHECK(m.on(ev::record_read{m.state.request->number, m.sequence, m.record})
        == "Holding: CAS held");
}

TEST_CASE("failover: a holder that reads a newer claim -> demotes at once") {
  auto m = holder();
  auto r = record_of_a();
  r.epoch = 9;
  m.record = r;
  m.sequence += 3;
  CHECK(m.on(ev::record_seen{1, m.sequence, r}) == "Demoting: stop");
}

TEST_CASE("failover: a store that lost the record of a live lease -> written again") {
  auto m = holder();
  m.record.reset();
  m.sequence = 0;
  m.on(ev::disconnected{});
  CHECK(m.on(ev::connected{2, "s"}) == "Holding: read, CAS held");
  CHECK(m.state.lease->record.epoch == 6);
}

TEST_CASE("failover: a switchover -> refused where nobody could take over") {
  auto m = holder();
  const cluster_command order{"1", command_kind::switchover, "c", false, "ann"};
  CHECK(m.on(ev::command{order}) == "Holding: consume");
  m.beat(beat_of("c", 1));
  m.beat(beat_of("c", 2));
  CHECK(m.on(ev::command{order}) == "Releasing: consume, stop");
  m.done();
  CHECK(m.sees(stopped()) == "Releasing: disarm guard, CAS released");
  CHECK(m.state.request->record->successor == "c");
  CHECK(m.acknowledged() == "Following: start standby");
}

TEST_CASE("failover: priority 0, or another cluster's data -> never") {
  auto m = rig{};
  m.settings.priority = 0;
  m.record = record_of_a();
  m.sequence = 7;
  m.on(ev::guard{true, {}});
  m.on(ev::connected{1, "s"});
  auto pg = alone();
  SECTION("priority 0") {
    m.sees(streaming());
    m.wait(4s);
    m.done();
    m.sees(pg);
    CHECK(m.state.why_not == refusal::priority_zero);
    CHECK(m.state.at == phase::electing); // its report counts
  }
  SECTION("another system id") {
    pg.system_id = 43;
    m.sees(pg);
    m.wait(10s);
    CHECK(m.state.why_not == refusal::system_id_differs);
    CHECK(m.state.at == phase::following);
  }
}

TEST_CASE("failover: more behind than is allowed -> refused, but for an operator") {
  auto m = connected();
  m.record->flush_lsn = 1000 + (17U << 20U);
  m.record->nonce = 2;
  m.on(ev::disconnected{});
  m.on(ev::connected{2, "s"});
  m.sees(streaming());
  m.wait(4s);
  m.done();
  m.sees(alone());
  CHECK(m.state.at == phase::electing);
  CHECK(m.state.why_not == refusal::lag_too_large);
  cluster_command order{"1", command_kind::failover, "b", false, "ann"};
  CHECK(m.on(ev::command{order}) == "Electing");
  m.on(ev::command_gone{"1"});
  order.allow_data_loss = true;
  CHECK(m.on(ev::command{order}) == "Claiming: CAS promoting");
  CHECK(m.acknowledged() == "Promoting: consume, arm guard");
}

TEST_CASE("failover: a pause -> nobody takes over until it is over") {
  auto m = follower();
  auto r = record_of_a();
  r.nonce = 2;
  r.paused = true;
  m.holds(r);
  CHECK(m.wait(20s) == "Following");
  CHECK(m.state.why_not == refusal::paused);
  CHECK(m.on(ev::command{{"1", command_kind::resume, "", false, "ann"}})
        == "Freezing: end walreceiver");
}

TEST_CASE("failover: a guard that does not answer -> the primary hands over") {
  auto m = holder();
  CHECK(m.on(ev::guard{false, {}}) == "Releasing: stop");
}

TEST_CASE("failover: an agent that starts under a live deadline -> goes on") {
  const auto before = holder();
  rig m;
  m.now = before.now;
  m.record = before.record;
  m.sequence = before.sequence;
  m.state = resume(before.state.kept, before.state.lease->record,
                   before.state.lease->sent + m.settings.periods.lease, m.now);
  m.on(ev::guard{true, before.state.lease->sent + m.settings.periods.lease});
  m.sees(before.pg);
  CHECK(m.on(ev::connected{9, "s"}) == "Holding: read, CAS held");
  CHECK(m.acknowledged() == "Holding: arm guard");
}

TEST_CASE("failover: a holder with longer leases than this member's -> its window is longer, too") {
  auto m = connected();
  auto longer = record_of_a();
  longer.lease_ms = 14000;
  m.sees(streaming());
  m.guarded();
  m.holds(longer);
  m.wait(m.settings.periods.window + 1s);
  CHECK(m.state.why_not == refusal::window_running);
  m.wait(14s);
  CHECK(m.state.why_not != refusal::window_running);
}

TEST_CASE("failover: other periods while it holds -> its lease lasts as its claim said") {
  auto m = holder();
  const auto claimed = std::chrono::milliseconds{m.record->lease_ms};
  m.settings.periods = normal_profile();
  m.wait(claimed - fast_profile().stop);
  CHECK_FALSE(m.state.lease);
}

} // namespace

} // namespace harmony::failover::test
