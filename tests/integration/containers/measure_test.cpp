// What this part costs. Run by name ("[measure]"); prints, and asserts nothing that depends on the
// machine.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "topology/podman_monitor.hpp"

namespace harmony::test {

namespace {

using clock = std::chrono::steady_clock;

double milliseconds_of(const std::function<void()>& work) {
  const auto begun = clock::now();
  work();
  return std::chrono::duration<double, std::milli>(clock::now() - begun).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_memory(const std::string& when) {
  std::ifstream rollup{"/proc/self/smaps_rollup"};
  std::string line;
  std::cout << when << ":";
  while (std::getline(rollup, line))
    if (line.rfind("Pss:", 0) == 0 || line.rfind("Private_Dirty:", 0) == 0)
      std::cout << "  " << line;
  std::cout << "\n";
}

} // namespace

TEST_CASE("podman: cost of an apply against the bare create and start", "[.][measure]") {
  podman_bed bed;
  const auto want = want_app();
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app"});
  monitor.start([](const std::string&) {});
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  std::vector<double> bare, whole, looks, lists;
  for (int i = 0; i < 21; ++i) {
    bare.push_back(milliseconds_of([&] {
      const auto id = bed.runtime().create("harmony-bare", want.spec, {}, {});
      REQUIRE(id);
      REQUIRE(bed.runtime().start(*id, {}));
    }));
    REQUIRE(bed.runtime().remove("harmony-bare", std::chrono::seconds{0}, {}));
    whole.push_back(milliseconds_of([&] {
      REQUIRE(bed.step(want));
      REQUIRE(bed.plan(want)->empty());
    }));
    looks.push_back(milliseconds_of([&] { REQUIRE(bed.observe(want)); }));
    lists.push_back(milliseconds_of([&] { REQUIRE(monitor.relist(std::chrono::seconds{5})); }));
    auto ctx = bed.context(std::chrono::seconds{2}); // no time for grace
    REQUIRE(bed.subject().remove(bed.owned().all().front(), ctx));
  }
  std::cout << "bare create and start " << median(bare) << " ms, look, apply, look "
            << median(whole) << " ms, ratio " << median(whole) / median(bare) << "; look "
            << median(looks) << " ms, relist " << median(lists) << " ms\n";
}

TEST_CASE("podman: memory of a client and its event stream", "[.][measure]") {
  podman_bed bed;
  podman_client client{podman_socket};
  print_memory("before a call  ");
  REQUIRE(client.ping({}));
  print_memory("after one call ");
  podman_monitor monitor{client, bed_agent};
  monitor.watch({"harmony-app"});
  monitor.start([](const std::string&) {});
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  print_memory("with the stream");
}

} // namespace harmony::test
