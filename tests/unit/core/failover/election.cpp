#include "core/failover/election.hpp"

#include "core/failover/sync_plan.hpp"
#include "support/catch.hpp"
#include "unit/core/failover/rig.hpp"

namespace harmony::failover::test {

namespace {

candidate reported(const std::string& node, lsn at, std::uint32_t priority = 1) {
  return {node, priority, true, {6, 1, at}};
}

TEST_CASE("election: reports of R of N members, W acknowledge -> enough if R + W > N") {
  const sync_set any{1, {"a", "b", "c"}};
  CHECK_FALSE(covers(any, {reported("a", 1), reported("b", 1)}));
  CHECK(covers(any, {reported("a", 1), reported("b", 1), reported("c", 1)}));
  const sync_set two{2, {"a", "b", "c"}};
  CHECK(covers(two, {reported("a", 1), reported("b", 1)}));
  CHECK_FALSE(covers(two, {reported("a", 1), reported("x", 1)}));
  const sync_set each{1, {"a"}};
  CHECK(covers(each, {reported("a", 1)}));
  CHECK_FALSE(covers({1, {}}, {reported("a", 1)}));
  CHECK_FALSE(covers({1, {"a"}}, {}));
}

TEST_CASE("election: members compared -> synchronous, received, priority, name") {
  const sync_set sync{1, {"c"}};
  CHECK(better(reported("c", 1), reported("b", 9), sync));
  CHECK(better(reported("b", 9), reported("a", 8, 7), {}));
  CHECK(better(reported("b", 9, 2), reported("a", 9, 1), {}));
  CHECK(better(reported("a", 9), reported("b", 9), {}));
}

TEST_CASE("election: data against the record -> a part of its history, behind, or forked") {
  auto r = record_of_a();
  r.timeline = 3;
  r.maker = "a-1/5";
  r.parent = 2;
  r.switch_lsn = 5000;
  r.flush_lsn = 9000;
  auto pg = alone();
  const auto is = [&](const memory& kept = {}) { return ancestry(r, pg, kept); };
  pg.received = 8000;
  pg.timeline = 3;
  pg.history = {{1, 1000}, {2, 5000}};
  CHECK(is() == refusal::none);
  SECTION("another timeline of that number, by where it began") {
    pg.history.back().left_at = 4000;
    CHECK(is() == refusal::timeline_forked);
  }
  SECTION("another timeline of that number, by who made it") {
    CHECK(is({0, {}, 3, "b-1/5"}) == refusal::timeline_forked);
    CHECK(is({0, {}, 3, "a-1/5"}) == refusal::none);
  }
  SECTION("not switched yet") {
    pg.timeline = 2;
    pg.history = {{1, 1000}};
    pg.received = 5000;
    CHECK(is() == refusal::none);
    pg.received = 5001;
    CHECK(is() == refusal::timeline_forked);
  }
  SECTION("two promotions behind") {
    pg.timeline = 1;
    pg.history.clear();
    CHECK(is() == refusal::timeline_behind);
  }
  SECTION("its own promotion, by a claim that failed, and one more since") {
    pg.timeline = 5;
    pg.history.push_back({3, 8000}); // less than the primary had flushed
    CHECK(is() == refusal::timeline_forked);
    r.state = lease_state::promoting;
    r.epoch = 9;
    CHECK(is({0, {}, 5, "b-1/7", 3, "a-1/5"}) == refusal::none);
    CHECK(is({0, {}, 5, "b-1/7", 3, "c-1/5"}) == refusal::timeline_forked);
  }
  SECTION("promoted by hand") {
    pg.timeline = 4;
    pg.history.push_back({3, 8999});
    CHECK(is() == refusal::timeline_forked);
    pg.history.back().left_at = 9000;
    CHECK(is() == refusal::none);
  }
}

TEST_CASE("rejoin: data against the new primary's -> follow, wait, rewind or clone") {
  auto r = record_of_a();
  r.timeline = 2;
  r.maker = "a-1/5";
  r.parent = 1;
  r.switch_lsn = 5000;
  auto pg = alone();
  pg.received = 5000;
  CHECK(rejoin_plan(r, pg, 1, {}, true) == rejoin_step::follow);
  pg.received = 5001;
  CHECK(rejoin_plan(r, pg, 1, {}, true) == rejoin_step::wait_for_checkpoint);
  CHECK(rejoin_plan(r, pg, 2, {}, true) == rejoin_step::rewind);
  CHECK(rejoin_plan(r, pg, 2, {}, false) == rejoin_step::reclone);
  memory damaged;
  damaged.damaged = true;
  CHECK(rejoin_plan(r, pg, 2, damaged, true) == rejoin_step::reclone);
  pg.timeline = 2;
  pg.history = {{1, 5000}};
  CHECK(rejoin_plan(r, pg, 2, {}, true) == rejoin_step::follow);
  CHECK(rejoin_plan(r, pg, 2, {0, {}, 2, "b-1/5"}, true) == rejoin_step::reclone);
  pg.system_id = 0; // no data yet
  CHECK(rejoin_plan(r, pg, 2, {}, true) == rejoin_step::reclone);
}

TEST_CASE("sync set: a member goes, another comes -> both, then everything, then the record") {
  sync_view v{sync_mode::strict, 1, {1, {"a"}}, true, {1, {"a"}}, 500, {{"c", 400}}};
  CHECK(plan_sync(v, {}) == sync_step{sync_change{{"c"}, {}}, sync_names{2, {"a", "c"}}, {}});
  v.in_effect = {2, {"a", "c"}};
  auto s = plan_sync(v, sync_change{{"c"}, {}});
  CHECK(s == sync_step{sync_change{{"c"}, lsn{500}}, {}, {}});
  v.standbys = {{"c", 500}};
  s = plan_sync(v, s.change);
  CHECK(s.record == sync_set{1, {"c"}});
  v.recorded = {1, {"c"}};
  v.sure = false; // an older write may yet be applied
  CHECK_FALSE(plan_sync(v, s.change).names);
  v.sure = true;
  CHECK(plan_sync(v, s.change) == sync_step{{}, sync_names{1, {"c"}}, {}});
}

TEST_CASE("sync set: the last standby goes -> it stays, and writes wait") {
  const sync_view v{sync_mode::strict, 1, {1, {"a"}}, true, {1, {"a"}}, 500, {}};
  CHECK(plan_sync(v, {}) == sync_step{});
}

} // namespace

} // namespace harmony::failover::test
