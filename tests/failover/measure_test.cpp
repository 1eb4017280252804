// How long clients cannot write after a fault, over and over on one cluster. Prints a table for
// docs/benchmarks.md.

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "failover/load.hpp"
#include "failover/mailbox.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using failover::boottime_now;

struct round_of {
  const char* name;
  void (*fault)(cluster_bed& bed, bed_member& primary);
  void (*mend)(bed_member& primary);
};

void nothing(bed_member& /*primary*/) {}

const std::vector<round_of> rounds{
  {"power cut", [](cluster_bed&, bed_member& p) { p.cut_power(); },
   [](bed_member& p) { p.restore_power(); }},
  {"agent killed", [](cluster_bed&, bed_member& p) { p.kill_agent(); },
   [](bed_member& p) { p.start_agent(); }},
  {"agent frozen", [](cluster_bed&, bed_member& p) { p.freeze_agent(); },
   [](bed_member& p) { p.thaw_agent(); }},
  {"agent and PostgreSQL frozen",
   [](cluster_bed&, bed_member& p) {
     p.freeze_agent();
     p.freeze_postgres();
   },
   [](bed_member& p) {
     p.thaw_postgres();
     p.thaw_agent();
   }},
  {"PostgreSQL killed", [](cluster_bed&, bed_member& p) { p.kill_postmaster(); }, nothing},
  {"agent ended in order", [](cluster_bed&, bed_member& p) { p.stop_agent(); },
   [](bed_member& p) { p.start_agent(); }},
  {"switchover",
   [](cluster_bed& bed, bed_member&) {
     REQUIRE(bed.ctl({"failover", "switchover", "main", "--wait"}).code == 0);
   },
   nothing},
};

} // namespace

TEST_CASE("failover: measure how long nobody writes", "[.measure]") {
  const char* mode = std::getenv("MODE");
  const char* times = std::getenv("ROUNDS");
  cluster_options how;
  how.mode = mode == nullptr ? "async" : mode;
  cluster_bed bed{how};
  bed.start();
  std::printf(
    "| fault (%s) | rounds | without a write, ms: median, longest | lost | two writable |\n",
    how.mode.c_str());
  for (const auto& each : rounds) {
    std::vector<std::int64_t> gaps;
    std::size_t lost = 0;
    std::size_t twice = 0;
    for (int i = 0; i < (times == nullptr ? 10 : std::atoi(times)); ++i) {
      bed.await_whole();
      load clients{bed};
      clients.next_after(boottime_now() + 1s);
      auto& primary = bed.await_primary();
      each.fault(bed, primary);
      bed.await_primary(&primary);
      clients.next_after(boottime_now());
      each.mend(primary);
      bed.await_whole();
      clients.stop();
      gaps.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(clients.longest_gap()).count());
      lost += clients.lost();
      twice += clients.two_writable().empty() ? 0U : 1U;
    }
    std::sort(gaps.begin(), gaps.end());
    std::printf("| %s | %zu | %ld, %ld | %zu | %zu |\n", each.name, gaps.size(),
                static_cast<long>(gaps[gaps.size() / 2]), static_cast<long>(gaps.back()), lost,
                twice);
    std::fflush(stdout);
    CHECK(twice == 0);
    if (how.mode != "async")
      CHECK(lost == 0);
  }
}

} // namespace harmony::test
