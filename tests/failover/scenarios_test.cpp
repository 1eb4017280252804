// Whole clusters of real agents, guards, PostgreSQLs and a real nats-server, under load.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "failover/fault_mix.hpp"
#include "failover/mailbox.hpp"
#include "failover/scenarios.hpp"
#include "support/catch.hpp"

using namespace harmony::test;

namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

} // namespace

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
      how.more = each.more;
      cluster_bed bed{how};
      bed.start();
      run(each, bed);
    }
  }
}

// Environment: SECONDS_OF_FAULTS (60), SEED (a new one). scripts/failover-matrix --random
TEST_CASE("failover: 27: a random mix of faults (strict)", "[.random]") {
  const auto seed = number_of("SEED", std::random_device{}());
  const std::chrono::seconds duration{number_of("SECONDS_OF_FAULTS", 60)};
  cluster_options how;
  how.mode = "strict";
  cluster_bed bed{how};
  bed.start();
  load clients{bed};
  fault_mix mix{bed, seed};
  mix.run(duration);
  INFO("seed " << seed << ", the faults:\n" << mix.record() << bed.story());
  bed.await_primary();
  bed.await_whole();
  clients.next_after(harmony::failover::boottime_now());
  clients.stop();
  const auto wrong = clients.two_writable();
  const auto lost = clients.lost();
  std::cout << mix.record() << "random: seed " << seed << ", " << duration.count()
            << " s: " << mix.faults() << " faults, " << clients.failovers() << " failovers, "
            << clients.answers().size() << " acknowledged writes, " << lost << " lost, "
            << std::count(wrong.begin(), wrong.end(), '\n')
            << " instants with two writable, longest gap "
            << std::chrono::duration_cast<std::chrono::milliseconds>(clients.longest_gap()).count()
            << " ms\n";
  CHECK(wrong == "");
  CHECK(lost == 0);
  CHECK(bed.differences() == "");
}
