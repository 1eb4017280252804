// What a member must not believe, and what it must not do before it knows.

#include <algorithm>

#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

postgres replaying(lsn replayed) {
  auto pg = alone();
  pg.whole = false;
  pg.received = pg.replayed = replayed;
  return pg;
}

/// A claim of `c` that the store has forgotten.
member_heartbeat knows_a_claim_of_c(std::uint64_t n) {
  auto b = beat_of("c", n);
  auto r = record_of_a();
  r.epoch = 9;
  r.holder = "c";
  r.incarnation = "c-1";
  b.newest = r;
  return b;
}

std::vector<std::string> names_wanted(const rig& m) {
  for (const auto& a : m.actions)
    if (const auto* set = std::get_if<fx::set_sync_names>(&a))
      return set->names.members;
  return {};
}

TEST_CASE("failover: its own log is not replayed -> no report, not electable") {
  auto m = freezer();
  m.done();
  CHECK(m.sees(replaying(500)) == "Freezing");
  CHECK(m.state.why_not == refusal::log_not_replayed);
  m.sees(replaying(900));
  m.wait(600ms);
  CHECK_FALSE(m.state.frozen);
  CHECK(m.sees(alone()) == "Claiming: CAS promoting");
}

TEST_CASE("failover: it starts anew after its report -> the report does not stand") {
  auto m = elector();
  CHECK(m.sees(replaying(500)) == "Freezing");
  CHECK_FALSE(m.state.frozen);
}

TEST_CASE("failover: half a record was received -> promoted once replay stands still") {
  auto m = claimer();
  m.acknowledged();
  auto pg = alone();
  pg.received = 1050;
  for (pg.replayed = 980; pg.replayed < 1000; pg.replayed += 10) {
    m.sees(pg);
    CHECK(m.guarded() == "Promoting");
    m.now += 100ms;
  }
  pg.replayed = 1000;
  m.sees(pg);
  m.now += 900ms;
  CHECK(m.on(ev::tick{}) == "Promoting: CAS promoting");
  m.acknowledged();
  CHECK(m.guarded() == "Promoting");
  m.now += 100ms;
  CHECK(m.guarded() == "Promoting: promote");
}

TEST_CASE("failover: a live release older than a known claim -> not believed") {
  auto m = follower();
  m.beat(knows_a_claim_of_c(1));
  auto r = record_of_a();
  r.nonce = 2;
  r.state = lease_state::released;
  CHECK(m.holds(r).substr(0, 9) == "Following");
  CHECK(m.state.why_not == refusal::window_running);
}

TEST_CASE("failover: a holder hears of a newer claim -> gives its own away") {
  auto m = holder();
  CHECK(m.beat(knows_a_claim_of_c(1)) == "Releasing: stop");
}

TEST_CASE("failover: an agent that starts under a live deadline -> nothing before an answer") {
  auto before = holder();
  const auto& lease = *before.state.lease;
  const auto deadline = lease.sent + before.settings.periods.lease;
  rig m;
  m.settings.restart_limit = 2s;
  m.now = before.now;
  m.record = before.record;
  m.sequence = before.sequence;
  m.state = resume(before.state.kept, lease.record, deadline, m.now);
  m.on(ev::guard{true, deadline});
  CHECK(m.sees(stopped()) == "Holding");
  SECTION("the lease is its own") {
    CHECK(m.on(ev::connected{9, "s"}) == "Holding: read, CAS held");
    CHECK(m.acknowledged() == "Holding: arm guard, start primary");
  }
  SECTION("it was given away") {
    m.record->nonce += 1;
    m.record->state = lease_state::released;
    CHECK(m.on(ev::connected{9, "s"}).substr(0, 9) == "Following");
    CHECK_FALSE(m.state.lease);
  }
  SECTION("its heartbeats go on") {
    CHECK(m.state.beats > before.state.beats);
  }
}

TEST_CASE("failover: the synchronous set -> members that may be promoted, nobody else") {
  auto m = holder();
  m.settings.mode = sync_mode::strict;
  m.state.lease->record.sync = {1, {}};
  auto pg = primary();
  pg.checkpoint_timeline = 2;
  pg.names = {1, {}};
  pg.standbys = {{"a", 1000}, {"c", 1000}, {"stranger", 1000}};
  m.beat(beat_of("stranger", 1));
  auto zero = beat_of("a", 1);
  zero.priority = 0;
  m.beat(zero);
  m.done(); // names without members
  m.sees(pg);
  CHECK(names_wanted(m).empty());
  CHECK(m.beat(beat_of("c", 1)) == "Holding: set sync names");
  CHECK(names_wanted(m) == std::vector<std::string>{"c"});
}

TEST_CASE("failover: the record was deleted -> no new cluster, but whoever knew it goes on") {
  rig m;
  m.settings.may_create = true;
  m.sequence = 7;
  m.on(ev::guard{true, {}});
  SECTION("nobody knows it") {
    m.on(ev::connected{1, "s"});
    m.on(ev::record_seen{1, 7, {}});
    m.sees(alone());
    m.wait(10s);
    CHECK(m.state.why_not == refusal::no_cluster);
  }
  SECTION("this member knows it") {
    m.state.kept.newest = record_of_a();
    m.on(ev::connected{1, "s"});
    m.on(ev::record_seen{1, 7, {}});
    m.sees(streaming());
    m.wait(3500ms);
    m.done();
    CHECK(m.sees(alone()) == "Claiming: CAS promoting");
  }
}

TEST_CASE("failover: numbers at the end of their range -> no claim that nobody could read") {
  auto m = follower();
  auto b = beat_of("c", 1);
  SECTION("an epoch") {
    b.epoch = last_number;
    m.beat(b);
    m.wait(4s);
  }
  SECTION("a timeline") {
    b.timeline = last_timeline;
    m.beat(b);
    m.wait(3500ms);
    m.done();
    m.sees(alone());
    m.wait(1600ms);
  }
  CHECK(m.state.why_not == refusal::numbers_exhausted);
  CHECK_FALSE(m.state.claim);
}

TEST_CASE("failover: to be rewound, and the source is gone -> a standby on its own") {
  auto m = connected();
  auto pg = stopped();
  pg.history = {{1, 900}}; // of another promotion
  SECTION("it never was seen") {}
  SECTION("it was only found") {
    m.beat(beat_of("a", 1));
  }
  CHECK(m.sees(pg) == "Following: start standby");
}

} // namespace

} // namespace harmony::failover::test
