// Figures for docs/benchmarks.md: not run by default.

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "guard/system.hpp"
#include "integration/guard/postgres_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using guard::boot_now;

constexpr int rounds = 20;

double millis(guard::boot_time t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

void print(const char* what, std::vector<double> all) {
  std::sort(all.begin(), all.end());
  std::printf("%-44s min %7.1f  median %7.1f  max %7.1f ms  (%zu)\n", what, all.front(),
              all[all.size() / 2], all.back(), all.size());
}

/// When the guard said that PostgreSQL is gone.
guard::boot_time when_gone(guard::client& agent) {
  const auto until = in(20s);
  for (;;) {
    const auto r = agent.next(until);
    REQUIRE((r && *r));
    if ((*r)->now == guard::phase::stopped)
      return boot_now();
  }
}

TEST_CASE("measure: kills at the deadline, idle", "[.measure]") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  std::vector<double> kills;
  for (int i = 0; i < rounds; ++i) {
    bed.start_primary(agent, 4s);
    const auto open = bed.connect();
    kills.push_back(millis(when_gone(agent) - agent.call(guard::status{}, in(1s))->deadline));
    REQUIRE(bed.servers().empty());
  }
  print("idle: deadline until no process is left", kills);
}

TEST_CASE("measure: kills at the deadline under pgbench", "[.measure]") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto pgbench =
    postgres_programs() + "/pgbench -h " + bed.file("sockets").string() + " -U tester postgres ";
  std::vector<double> kills, acks;
  bed.start_primary(agent, 120s);
  must(pgbench + "-q -i -s 10 2>&1");
  REQUIRE(agent.call(guard::stop{}, in(1s)));
  when_gone(agent);
  REQUIRE(agent.call(guard::release{}, in(5s))->what == guard::report::kind::ok);
  for (int i = 0; i < rounds; ++i) {
    bed.start_primary(agent, 8s);
    const process load{{"/bin/sh", "-c", "exec " + pgbench + "-c 8 -j 2 -T 600"}, "", {}};
    const writer w{bed};
    REQUIRE(eventually([&] { return w.acknowledged() > 200; }, 20s));
    const auto gone = when_gone(agent);
    const auto deadline = agent.call(guard::status{}, in(1s))->deadline;
    REQUIRE(w.ended());
    kills.push_back(millis(gone - deadline));
    acks.push_back(millis(w.last() - deadline));
  }
  print("8 pgbench clients: until no process is left", kills);
  print("the same: last acknowledged write", acks);
}

TEST_CASE("measure: keeper frozen, under a busy backend", "[.measure]") {
  std::vector<double> kills;
  for (int i = 0; i < rounds; ++i) {
    postgres_bed bed;
    bed.start_guard();
    auto agent = bed.agent();
    const auto deadline = bed.start_primary(agent, 4s);
    const busy_backend busy{bed};
    ::kill(bed.keeper(), SIGSTOP);
    REQUIRE(bed.guard().ended(10s));
    kills.push_back(millis(boot_now() - deadline));
    REQUIRE(bed.servers().empty());
  }
  print("keeper frozen: deadline until all are gone", kills);
}

TEST_CASE("measure: memory of the guard", "[.measure]") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  const auto pss = [](pid_t pid) {
    return must("grep -E '^(Pss|Private_Dirty|Locked):' /proc/" + std::to_string(pid)
                + "/smaps_rollup | tr -s '\\n ' ' '");
  };
  std::printf("backstop: %s\nkeeper:   %s\n", pss(bed.guard().pid()).c_str(),
              pss(bed.keeper()).c_str());
}

} // namespace

} // namespace harmony::test
