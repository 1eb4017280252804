// Every fault point x {kill, error, hang}, on a real agent: made from the agent's own list.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>

#include "fault_run.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

std::vector<std::string> listed_points() {
  std::istringstream in{shell(std::string{HARMONY_AGENT} + " --list-fault-points")};
  std::vector<std::string> points;
  for (std::string line; std::getline(in, line);)
    points.push_back(line);
  return points;
}

/// Runs a cell and prints its line: RESULT SCENARIO POINT HIT KIND VERDICT SECONDS [VIOLATION]…
void run_cell(const scenario_kind& scene, const fault_case& cell) {
  const auto verdict = run_with(scene, cell);
  const auto* word = !verdict.violations.empty() ? "VIOLATED"
                     : verdict.fired             ? "held"
                                                 : "unreached";
  std::printf("RESULT %s %s %u %s %s %.1f\n", scene.name.c_str(), cell.point.c_str(), cell.hit,
              cell.kind.c_str(), word, verdict.seconds);
  for (const auto& each : verdict.violations)
    std::printf("       %s\n", each.c_str());
  std::fflush(stdout);
  INFO(scene.name << ": " << cell.point << ", hit " << cell.hit << ", " << cell.kind);
  for (const auto& each : verdict.violations)
    FAIL_CHECK(each);
  CHECK((verdict.fired || cell.hit > 1)); // how often a point is reached varies a little
}

std::string variable(const char* name, const char* otherwise) {
  const auto* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

const std::vector<std::string> kinds{"kill", "error", "hang"};

struct place {
  const scenario_kind* scene;
  std::string point;
};

/// Each point in each scenario that must reach it.
std::vector<place> all_places() {
  std::vector<place> result;
  for (const auto& scene : scenarios())
    for (const auto& point : listed_points())
      if (scene.reaches(point))
        result.push_back({&scene, point});
  return result;
}

} // namespace

TEST_CASE("fault points: each scenario without a fault -> every one of its points is reached") {
  const auto points = listed_points();
  REQUIRE(points.size() > 100);
  for (const auto& each : points)
    if (std::none_of(scenarios().begin(), scenarios().end(),
                     [&](const scenario_kind& scene) { return scene.reaches(each); }))
      FAIL_CHECK(each + " belongs to no scenario");
  for (const auto& scene : scenarios()) {
    scene.prepare();
    const auto hits = count_hits(scene);
    for (const auto& each : points)
      if (scene.reaches(each) && hits.count(each) == 0)
        FAIL_CHECK(scene.name + ": " + each + " is never reached");
  }
}

TEST_CASE("kill matrix: a seeded sample -> converges, nothing twice, nothing left, no lie") {
  const auto seed =
    static_cast<unsigned>(std::strtoul(variable("HARMONY_MATRIX_SEED", "1").c_str(), nullptr, 10));
  INFO("HARMONY_MATRIX_SEED=" << seed);
  auto places = all_places();
  std::shuffle(places.begin(), places.end(), std::minstd_rand{seed});
  constexpr std::size_t sample = 4;
  for (std::size_t i = 0; i < sample; ++i) {
    places.at(i).scene->prepare();
    run_cell(*places.at(i).scene, {places.at(i).point, 1, kinds.at(i % kinds.size())});
  }
}

// scripts/kill-matrix
TEST_CASE("kill matrix: every point x {kill, error, hang}", "[.matrix]") {
  const auto wanted = variable("HARMONY_MATRIX_ONLY", "");
  const auto late = variable("HARMONY_MATRIX_HITS", "first") == "late";
  std::istringstream shard{variable("HARMONY_MATRIX_SHARD", "0 1")};
  std::size_t mine = 0;
  std::size_t shards = 1;
  shard >> mine >> shards;
  std::size_t number = 0;
  std::map<const scenario_kind*, std::map<std::string, unsigned>> hits;
  for (const auto& [scene, point] : all_places())
    for (const auto& kind : kinds) {
      if ((scene->name + " " + point + " " + kind).find(wanted) == std::string::npos
          || number++ % shards != mine)
        continue;
      if (hits.count(scene) == 0) {
        scene->prepare();
        hits[scene] = count_hits(*scene);
      }
      const auto all = std::max(1U, hits.at(scene)[point]);
      // Late: in the second third of the run, where things are changed and removed.
      const auto hit = late ? std::max(2U, all * 2 / 3) : 1U;
      if (!late || all > 1)
        run_cell(*scene, {point, hit, kind});
    }
}

} // namespace harmony::test
