// Every fault point x {kill, error, hang}, on a real agent: made from the agent's own list.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>

#include "fault_run.hpp"
#include "scenario.hpp"
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

/// Runs a cell and prints its line: RESULT POINT HIT KIND VERDICT SECONDS [VIOLATION]…
void run_cell(const fault_case& cell) {
  const auto verdict = run_with(cell);
  const auto* word = !verdict.violations.empty() ? "VIOLATED"
                     : verdict.fired             ? "held"
                                                 : "unreached";
  std::printf("RESULT %s %u %s %s %.1f\n", cell.point.c_str(), cell.hit, cell.kind.c_str(), word,
              verdict.seconds);
  for (const auto& each : verdict.violations)
    std::printf("       %s\n", each.c_str());
  std::fflush(stdout);
  INFO(cell.point << ", hit " << cell.hit << ", " << cell.kind);
  for (const auto& each : verdict.violations)
    FAIL_CHECK(each);
  CHECK((verdict.fired || cell.hit > 1)); // how often a point is reached varies a little
}

std::string variable(const char* name, const char* otherwise) {
  const auto* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

const std::vector<std::string> kinds{"kill", "error", "hang"};

} // namespace

TEST_CASE("fault points: the scenario without a fault -> every one is reached") {
  scenario::prepare_device();
  const auto points = listed_points();
  REQUIRE(points.size() > 50);
  const auto hits = count_hits();
  for (const auto& each : points)
    if (hits.count(each) == 0)
      FAIL_CHECK(each + " is never reached");
}

TEST_CASE("kill matrix: a seeded sample -> converges, nothing twice, nothing left, no lie") {
  const auto seed =
    static_cast<unsigned>(std::strtoul(variable("HARMONY_MATRIX_SEED", "1").c_str(), nullptr, 10));
  INFO("HARMONY_MATRIX_SEED=" << seed);
  scenario::prepare_device();
  auto points = listed_points();
  std::shuffle(points.begin(), points.end(), std::minstd_rand{seed});
  constexpr std::size_t sample = 12;
  for (std::size_t i = 0; i < sample; ++i)
    run_cell({points.at(i), 1, kinds.at(i % kinds.size())});
}

// scripts/kill-matrix
TEST_CASE("kill matrix: every point x {kill, error, hang}", "[.matrix]") {
  scenario::prepare_device();
  const auto wanted = variable("HARMONY_MATRIX_ONLY", "");
  const auto late = variable("HARMONY_MATRIX_HITS", "first") == "late";
  std::istringstream shard{variable("HARMONY_MATRIX_SHARD", "0 1")};
  std::size_t mine = 0;
  std::size_t shards = 1;
  shard >> mine >> shards;
  const auto hits = count_hits();
  std::size_t number = 0;
  for (const auto& point : listed_points())
    for (const auto& kind : kinds) {
      if (number++ % shards != mine || (point + " " + kind).find(wanted) == std::string::npos)
        continue;
      const auto all = hits.count(point) == 0 ? 1 : hits.at(point);
      // Late: in the second third of the run, where things are changed and removed.
      const auto hit = late ? std::max(2U, all * 2 / 3) : 1U;
      if (!late || all > 1)
        run_cell({point, hit, kind});
    }
}

} // namespace harmony::test
