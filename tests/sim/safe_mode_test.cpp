#include "sim/world.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

/// A record of five crashes at generation 1.
std::unique_ptr<flight_record> crashed_five_times(const temp_dir& folder) {
  for (int i = 0; i < 5; ++i) {
    const auto run = flight_record::open(folder.str()).value();
    run->in_force({0, 1, "hash"});
    (void)run->begin({"File", "a"}, true);
  }
  return flight_record::open(folder.str()).value();
}

std::string safe_mode_of(const agent_status& s) {
  for (const auto& c : s.conditions)
    if (c.type == "SafeMode")
      return c.status == condition_state::true_ ? "true" : "false";
  return "absent";
}

/// An agent that accepted `resources` and starts again after five crashes on it.
struct crash_looped {
  explicit crash_looped(const std::string& resources) {
    w.apply(resources);
    w.start();
    w.settle();
    w.stop();
    w.device.log.clear();
    w.device.things.clear();
    w.start();
    w.settle();
  }
  temp_dir folder;
  std::unique_ptr<flight_record> flight = crashed_five_times(folder);
  world w{[this](agent_config& c) { c.flight = flight.get(); }};
};

} // namespace

TEST_CASE("safe mode: a crash loop -> nothing is touched, heartbeats go on, the status says why") {
  crash_looped c{file_json("a", "1")};
  const auto beats = c.w.beats.size();
  c.w.run_for(9min);
  CHECK(c.w.device.log.empty());
  CHECK(c.w.beats.size() >= beats + 53);
  CHECK(safe_mode_of(c.w.status()) == "true");
  CHECK(c.w.status().phase == agent_phase::degraded);
  CHECK(c.w.standing("File/a") == "Pending SafeMode");
}

TEST_CASE("safe mode: ten minutes -> one try; two healthy ones later the crashes are forgotten") {
  crash_looped c{file_json("a", "1")};
  REQUIRE(std::filesystem::exists(c.folder / "crashes.json"));
  c.w.run_for(10min + 1s);
  CHECK(safe_mode_of(c.w.status()) == "false");
  CHECK(c.w.status().phase == agent_phase::converged);
  CHECK(std::filesystem::exists(c.folder / "crashes.json"));
  c.w.run_for(2min);
  CHECK_FALSE(std::filesystem::exists(c.folder / "crashes.json"));
}

TEST_CASE("safe mode: a newer generation -> in force at once, and the try does not come on top") {
  crash_looped c{file_json("a", "1")};
  c.w.apply(file_json("b", "1"));
  c.w.settle();
  c.w.run_for(1s);
  CHECK(safe_mode_of(c.w.status()) == "false");
  CHECK(c.w.standing("File/b") == "Ready");
  CHECK(c.w.standing("File/a") == "absent");
  const auto log = c.w.device.log;
  c.w.run_for(15min);
  CHECK(c.w.device.log == log);
}

} // namespace harmony::test
