// A member is ordered to set its data aside and clone them anew.

#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

using namespace std::chrono_literals;

ev::command reinit(const std::string& to, bool allow_data_loss = false) {
  return {{"1", command_kind::reinit, to, allow_data_loss, "ann"}};
}

void primary_lives(rig& m) {
  static std::uint64_t n = 100;
  for (int i = 0; i < 2; ++i) {
    auto b = beat_of("a", ++n);
    b.role = member_role::primary;
    m.beat(b);
  }
}

void standby_lives(rig& m) {
  m.beat(beat_of("c", 1));
  m.beat(beat_of("c", 2));
}

/// A standby of a primary that waits for `sync`.
rig standby(const sync_set& sync = {}) {
  auto m = follower();
  auto r = record_of_a();
  r.nonce += 1;
  r.sync = sync;
  m.holds(r);
  primary_lives(m);
  return m;
}

} // namespace

TEST_CASE("reinit: of a standby that streams -> stopped, cloned, and sound again") {
  auto m = standby();
  CHECK(m.on(reinit("b")) == "Following: consume, stop");
  CHECK(m.state.kept.damaged);
  CHECK(m.state.orders.empty());
  m.done();
  primary_lives(m);
  CHECK(m.sees(stopped()) == "Following: clone from a");
  m.done();
  CHECK_FALSE(m.state.kept.damaged);
  CHECK(m.sees(stopped()) == "Following: start standby");
}

TEST_CASE("reinit: of another member -> nothing") {
  auto m = standby();
  CHECK(m.on(reinit("c")) == "Following");
  CHECK_FALSE(m.state.kept.damaged);
}

TEST_CASE("reinit: no primary to clone from is heard of -> refused when none came in time") {
  auto m = follower();
  CHECK(m.on(reinit("b")) == "Following");
  auto r = *m.record;
  for (int i = 0; i < 20; ++i) {
    m.wait(500ms);
    r.nonce += 1;
    m.holds(r);
  }
  CHECK(m.state.orders.size() == 1);
  CHECK(m.wait(500ms) == "Following: consume");
  CHECK_FALSE(m.state.kept.damaged);
}

TEST_CASE("reinit: the only one that could take over without loss -> only if that is allowed") {
  SECTION("of a strict set of one") {
    auto m = standby({1, {"b"}});
    standby_lives(m); // has not what was acknowledged
    SECTION("refused") {
      CHECK(m.on(reinit("b")) == "Following: consume");
      CHECK_FALSE(m.state.kept.damaged);
    }
    SECTION("allowed") {
      CHECK(m.on(reinit("b", true)) == "Following: consume, stop");
    }
  }
  SECTION("of a strict set of two, the other one is not heard of") {
    auto m = standby({2, {"b", "c"}});
    CHECK(m.on(reinit("b")) == "Following: consume");
    CHECK_FALSE(m.state.kept.damaged);
  }
  SECTION("of a strict set of two, the other one lives") {
    auto m = standby({2, {"b", "c"}});
    standby_lives(m);
    CHECK(m.on(reinit("b")) == "Following: consume, stop");
  }
  SECTION("of a quorum of which the rest is too few") {
    auto m = standby({1, {"b", "c", "d"}});
    standby_lives(m);
    CHECK(m.on(reinit("b")) == "Following: consume");
    CHECK_FALSE(m.state.kept.damaged);
  }
}

TEST_CASE("reinit: of data of another cluster -> they go, too") {
  auto m = standby();
  auto foreign = alone();
  foreign.system_id = 43;
  CHECK(m.sees(foreign) == "Following");
  CHECK(m.on(reinit("b")) == "Following: consume, stop");
  m.done();
  primary_lives(m);
  foreign.running = false;
  CHECK(m.sees(foreign) == "Following: clone from a");
}

TEST_CASE(
  "reinit: what the primary does with it -> refuses its own and nobody's, and leaves others "
  "theirs until their time is over") {
  auto m = holder();
  CHECK(m.on(reinit("b")) == "Holding: consume");
  CHECK(m.on(reinit("nobody")) == "Holding: consume");
  CHECK(m.on(reinit("c")) == "Holding");
  REQUIRE(m.state.orders.size() == 1);
  for (int i = 0; i < 23 && !m.state.orders.empty(); ++i) {
    m.wait(500ms);
    if (m.state.request)
      m.acknowledged();
    m.guarded();
  }
  CHECK(m.state.at == phase::holding);
  CHECK(m.state.orders.empty());
}

TEST_CASE("reinit: a pause -> is none") {
  auto m = follower();
  m.on(ev::command{{"2", command_kind::pause, "", false, "ann"}});
  m.on(reinit("b"));
  m.wait(5s);
  CHECK(m.state.why_not == refusal::paused);
}

} // namespace harmony::failover::test
