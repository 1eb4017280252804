#include "core/summary.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using standings = std::vector<resource_standing>;

constexpr resource_standing ready{resource_phase::ready, true, false};
constexpr resource_standing stale{resource_phase::ready, false, false};
constexpr resource_standing blocked{resource_phase::blocked, true, false};
constexpr resource_standing applying{resource_phase::applying, true, false};
constexpr resource_standing probing_now{resource_phase::probing, true, false};
constexpr resource_standing drifted{resource_phase::drifted, true, false};
constexpr resource_standing removing{resource_phase::removing, true, false};
constexpr resource_standing failed{resource_phase::failed, true, true};
constexpr resource_standing retrying{resource_phase::applying, true, true};
constexpr resource_standing rejected{resource_phase::rejected, true, true};

TEST_CASE("summary: resources -> the agent's phase") {
  struct row {
    const char* what;
    standings resources;
    agent_phase expected;
  };
  const std::vector<row> rows = {
    {"an empty manifest is in place", {}, agent_phase::converged},
    {"all ready", {ready, ready}, agent_phase::converged},
    {"one is ready at an older desire", {ready, stale}, agent_phase::converging},
    {"one applies", {ready, applying}, agent_phase::converging},
    {"one is probed", {ready, probing_now}, agent_phase::converging},
    {"one drifted", {ready, drifted}, agent_phase::converging},
    {"one still leaves", {ready, removing}, agent_phase::converging},
    {"one waits, for what is on its way", {blocked, applying}, agent_phase::converging},
    {"one waits, though nothing is on its way", {ready, blocked}, agent_phase::converging},
    {"one failed", {ready, failed}, agent_phase::degraded},
    {"one was rejected", {ready, rejected}, agent_phase::degraded},
    {"one retries what failed", {ready, retrying}, agent_phase::degraded},
    {"one waits for one that failed", {blocked, failed}, agent_phase::degraded},
    {"one failed while another is on its way", {failed, applying}, agent_phase::converging},
    {"one failed while another is not yet asked", {failed, stale}, agent_phase::converging},
  };
  for (const auto& each : rows) {
    INFO(each.what);
    CHECK(summarise(each.resources, true, false) == each.expected);
  }
}

TEST_CASE("summary: no manifest yet -> starting; a refused one -> rejected") {
  CHECK(summarise({}, false, false) == agent_phase::starting);
  CHECK(summarise({}, false, true) == agent_phase::rejected);
  CHECK(summarise({ready}, true, true) == agent_phase::rejected);
}

TEST_CASE("summary: every pair of standings -> converged only if both are ready and current") {
  for (int p = 0; p <= static_cast<int>(resource_phase::rejected); ++p)
    for (const bool current : {false, true})
      for (const bool troubled : {false, true}) {
        const resource_standing other{static_cast<resource_phase>(p), current, troubled};
        for (const auto& all : {standings{ready, other}, standings{other, ready}}) {
          INFO("phase " << p << " current " << current << " troubled " << troubled);
          const bool converged = summarise(all, true, false) == agent_phase::converged;
          CHECK(converged == (other.phase == resource_phase::ready && current && !troubled));
        }
      }
}

TEST_CASE("summary: a condition -> one a type; its time moves with its status only") {
  const auto at = [](int s) { return timestamp{std::chrono::seconds{s}}; };
  std::vector<condition> all;
  set_condition(all, {"Ready", condition_state::false_, "Converging", "1 of 2", at(1)});
  set_condition(all, {"Unsigned", condition_state::true_, "NoKeys", "", at(1)});
  REQUIRE(all.size() == 2);
  set_condition(all, {"Ready", condition_state::false_, "Degraded", "2 of 2", at(5)});
  REQUIRE(all.size() == 2);
  CHECK(all[0] == condition{"Ready", condition_state::false_, "Degraded", "2 of 2", at(1)});
  set_condition(all, {"Ready", condition_state::true_, "Converged", "", at(9)});
  CHECK(all[0] == condition{"Ready", condition_state::true_, "Converged", "", at(9)});
  CHECK(all[1].last_transition == at(1));
}

} // namespace

} // namespace harmony::test
