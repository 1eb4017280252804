// What the runtime was asked for and made when nobody waited for it any more.

#include "model/manifest.hpp"
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::seconds;

const owned_target late{{"File", "late"}, "/srv/late", true, {}};

bool was_removed(const world& w) {
  const auto& log = w.device.log;
  return std::find(log.begin(), log.end(), "remove /srv/late") != log.end();
}

} // namespace

TEST_CASE("stray: it is in no manifest and on no record -> removed, and Converged again") {
  world w;
  w.apply(file_json("a", "1"));
  w.start();
  w.device.strays = {late};
  w.run_for(seconds{15});
  CHECK(was_removed(w));
  CHECK(w.device.strays.empty());
  CHECK(w.state->of(late.owner).empty());
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().resources.size() == 1);
  CHECK(w.device.things.count("/srv/a") == 1);
}

TEST_CASE("stray: it comes after the last resource is gone -> removed all the same") {
  world w;
  w.apply(file_json("late", "1"));
  w.start();
  w.apply("");
  REQUIRE(w.status().phase == agent_phase::converged);
  REQUIRE(w.status().resources.empty());
  w.device.log.clear();
  w.device.strays = {late};
  w.run_for(seconds{15});
  CHECK(was_removed(w));
  CHECK(w.state->all().empty());
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("stray: the agent was killed before it came, and its resource left -> removed") {
  world w;
  w.apply("");
  REQUIRE(w.state->claim(late)); // asked for, and then killed
  w.start();
  REQUIRE(w.status().phase == agent_phase::converged);
  REQUIRE(w.state->all().empty());
  w.device.log.clear();
  w.device.strays = {late};
  w.run_for(seconds{15});
  CHECK(was_removed(w));
  CHECK(w.state->all().empty());
}

TEST_CASE("stray: a record or a manifest names it -> not touched") {
  world w;
  w.device.broken["/srv/late"] = {ec::io_error, "not now"};
  w.apply(file_json("a", "1") + "," + file_json("late", "1"));
  w.start();
  w.device.strays = {late};
  w.run_for(seconds{30});
  CHECK_FALSE(was_removed(w));
  w.device.broken.clear();
  w.run_for(seconds{30});
  CHECK_FALSE(was_removed(w));
  CHECK(w.device.things.count("/srv/late") == 1);
}

TEST_CASE("stray: before a manifest says what is wanted -> not touched") {
  world w;
  w.device.strays = {late};
  w.start();
  w.run_for(seconds{30});
  CHECK_FALSE(was_removed(w));
}

} // namespace harmony::test
