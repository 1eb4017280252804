// Clocks that are set, devices that sleep, and a first boot in 1970: nothing fires in a storm, and
// nothing stops.
#include "model/commands.hpp"
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

/// A manifest that was issued in 2026 and expires in 2030.
std::string dated_manifest(generation_number generation, const std::string& resources) {
  auto text = manifest_json(generation, resources);
  const std::string after = "\"generation\":" + std::to_string(generation);
  text.insert(text.find(after) + after.size(),
              R"(,"issuedAt":"2026-11-27T00:00:00Z","expiresAt":"2030-01-01T00:00:00Z")");
  return text;
}

} // namespace

TEST_CASE("time: the clock steps by a day, either way -> nothing is applied, heartbeats go on") {
  const auto step = GENERATE(duration{24h}, duration{-24h});
  world w;
  w.start();
  w.apply(file_json("a", "1") + "," + unit_json("web"));
  w.run_for(60s);
  const auto done = w.device.log;
  const auto writes = w.link.calls(store_call::put);
  w.beats.clear();
  w.step_clock(step);
  w.run_for(60s);
  CHECK(w.device.log == done);
  CHECK(w.beats.size() == 6);
  CHECK(w.link.calls(store_call::put) <= writes + 1);
  CHECK(w.status().phase == agent_phase::converged);
  w.drift("/srv/a");
  CHECK(w.standing("File/a") == "Ready");
}

TEST_CASE("time: the clock steps while something is retried -> the backoff keeps its pace") {
  const auto step = GENERATE(duration{24h}, duration{-24h});
  world w;
  w.device.broken["/srv/bad"] = {ec::disk_full, "no space left"};
  w.start();
  w.apply(file_json("bad", "1"));
  w.run_for(10s);
  w.step_clock(step);
  w.run_for(50s);
  CHECK(w.resource("File/bad").attempts == 6); // 1 + 2 + 4 + 8 + 16 s, as ever
}

TEST_CASE("time: the clock steps during a hold -> it ends after its time") {
  const auto step = GENERATE(duration{24h}, duration{-24h});
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  (void)w.command("hold", R"({"seconds":600})");
  w.step_clock(step);
  w.drift("/srv/a");
  w.device.log.clear();
  w.run_for(590s);
  CHECK(w.device.log.empty());
  CHECK(w.resource("File/a").hold);
  w.run_for(20s);
  CHECK(w.device.log == log{"apply /srv/a"});
  CHECK_FALSE(w.resource("File/a").hold);
}

TEST_CASE("time: suspended for eight hours -> one beat, one look, no storm") {
  world w;
  w.device.broken["/srv/bad"] = {ec::disk_full, "no space left"};
  w.start();
  w.apply(file_json("a", "1") + "," + file_json("bad", "1"));
  w.run_for(60s);
  w.device.log.clear();
  w.beats.clear();
  w.suspend(8h);
  CHECK(w.beats.size() <= 2);
  CHECK(w.device.log == log{"fail /srv/bad"});
  w.beats.clear();
  w.run_for(60s);
  CHECK(w.beats.size() == 6);
  CHECK(w.device.log.size() <= 2);
}

TEST_CASE(
  "time: first boot in 1970 -> a dated manifest is accepted, and kept when the clock comes") {
  world w;
  w.step_clock(-std::chrono::hours{24 * 365 * 56});
  w.start();
  w.put_desired(dated_manifest(1, file_json("a", "1")));
  CHECK(w.status().phase == agent_phase::converged);
  const auto done = w.device.log;
  w.step_clock(std::chrono::hours{24 * 365 * 57}); // 2027
  w.run_for(120s);
  CHECK(w.device.log == done);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE(
  "time: the clock passes a manifest's expiry -> it stays in force, and is not taken anew") {
  world w;
  w.start();
  w.put_desired(dated_manifest(1, file_json("a", "1")));
  REQUIRE(w.status().phase == agent_phase::converged);
  w.step_clock(std::chrono::hours{24 * 365 * 10});
  w.run_for(120s);
  w.drift("/srv/a");
  CHECK(w.standing("File/a") == "Ready");
  w.put_desired(dated_manifest(2, file_json("a", "2")));
  CHECK(w.status().phase == agent_phase::rejected);
  CHECK(w.device.things["/srv/a"].revision == w.resource("File/a").revision);
}

} // namespace harmony::test
