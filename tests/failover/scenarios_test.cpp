// Whole clusters of real agents, guards, PostgreSQLs and a real nats-server, under load.

#include <cstdlib>
#include <iostream>
#include <set>

#include "failover/scenarios.hpp"
#include "support/catch.hpp"

using namespace harmony::test;

TEST_CASE("failover: a cluster survives one fault after the other") {
  for (const std::string mode : {"async", "strict"}) {
    cluster_options how;
    how.mode = mode;
    cluster_bed bed{how};
    bed.start();
    for (const auto& each : scenarios())
      if (each.fast && each.mode == mode)
        run(each, bed);
  }
}

// scripts/failover-matrix asks for these, and runs them.
TEST_CASE("failover: names of the scenarios", "[.names]") {
  for (const auto& each : scenarios())
    std::cout << "scenario: " << each.name << "\n";
}

TEST_CASE("failover: every scenario, each on a cluster of its own", "[.matrix]") {
  const char* only = std::getenv("SCENARIO");
  for (const auto& each : scenarios()) {
    if (only != nullptr && std::string{each.name} != only)
      continue;
    DYNAMIC_SECTION(each.name) {
      cluster_options how;
      how.mode = each.mode;
      cluster_bed bed{how};
      bed.start();
      run(each, bed);
    }
  }
}
