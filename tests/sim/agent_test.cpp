#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

} // namespace

TEST_CASE("agent: a manifest -> converged, at its generation") {
  world w;
  w.start();
  CHECK(w.status().phase == agent_phase::starting);
  w.apply(file_json("a", "1") + "," + file_json("b", "1"));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().observed_generation == 1);
  CHECK(w.standing("File/a") == "Ready");
  CHECK(w.resource("File/a").applied_revision == w.resource("File/a").revision);
  CHECK(w.device.things.size() == 2);
}

TEST_CASE("agent: the same manifest at a newer generation -> nothing is touched") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  const auto before = w.device.log;
  w.apply(file_json("a", "1"));
  CHECK(w.device.log == before);
  CHECK(w.status().observed_generation == 2);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: drift hinted -> healed at once, again soon -> after a backoff") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.drift("/srv/a");
  CHECK(w.device.log == log{"apply /srv/a", "apply /srv/a"});
  CHECK(w.status().phase == agent_phase::converged);
  w.drift("/srv/a");
  w.run_for(300ms);
  CHECK(w.standing("File/a") == "Drifted Drifted");
  CHECK(w.status().phase == agent_phase::converging);
  w.run_for(1200ms);
  CHECK(w.standing("File/a") == "Ready");
  CHECK(w.device.log.size() == 3);
}

TEST_CASE("agent: drift without an event -> healed by the relist") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.run_for(11s);
  w.device.things.erase("/srv/a");
  w.run_for(11s);
  CHECK(w.device.things.count("/srv/a") == 1);
  CHECK(w.standing("File/a") == "Ready");
}

TEST_CASE("agent: drift without an event while manifests keep coming -> healed by the relist") {
  world w;
  w.start();
  w.apply(file_json("a", "1") + "," + file_json("b", "0"));
  w.run_for(11s);
  w.device.things.erase("/srv/a");
  for (const auto* content : {"1", "2", "3", "4"}) {
    w.apply(file_json("a", "1") + "," + file_json("b", content));
    w.run_for(4s);
  }
  CHECK(w.device.things.count("/srv/a") == 1);
}

TEST_CASE(
  "agent: one resource fails -> degraded with its reason, the others converge, retries back off") {
  world w;
  w.device.broken["/srv/bad"] = {ec::disk_full, "no space left on '/srv'"};
  w.start();
  w.apply(file_json("bad", "1") + "," + file_json("good", "1"));
  CHECK(w.status().phase == agent_phase::degraded);
  CHECK(w.standing("File/bad") == "Failed DiskFull");
  CHECK(w.standing("File/good") == "Ready");
  CHECK(w.resource("File/bad").next_retry);
  w.run_for(60s);
  // 1 + 2 + 4 + 8 + 16 s, jittered by a tenth: the sixth attempt falls into the first minute.
  CHECK(w.resource("File/bad").attempts == 6);
  CHECK(w.status().phase == agent_phase::degraded);
  w.device.broken.clear();
  w.run_for(40s);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: an apply that hangs -> heartbeats and other resources unmoved") {
  world w;
  w.device.hanging = {"/srv/stuck"};
  w.start();
  w.apply(file_json("stuck", "1") + "," + file_json("a", "1"));
  w.run_for(1s);
  CHECK(w.standing("File/a") == "Ready");
  CHECK(w.standing("File/stuck") == "Applying");
  w.beats.clear();
  w.run_for(9min);
  REQUIRE(w.beats.size() >= 54);
  for (std::size_t i = 1; i < w.beats.size(); ++i)
    CHECK(w.beats[i] - w.beats[i - 1] == 10s);
  w.apply(file_json("stuck", "1") + "," + file_json("a", "2") + "," + file_json("b", "1"));
  w.run_for(1s);
  CHECK(w.standing("File/a") == "Ready");
  CHECK(w.standing("File/b") == "Ready");
  w.run_for(2min);
  CHECK(w.standing("File/stuck") == "Failed TimedOut");
  CHECK(w.status().phase == agent_phase::degraded);
  w.device.hanging.clear();
  w.workers->release();
  w.run_for(20min);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: a hundred applies that hang -> one more resource converges") {
  world w;
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto name = "stuck-" + std::to_string(i);
    w.device.hanging.insert("/srv/" + name);
    all += file_json(name, "1") + ",";
  }
  w.start();
  w.apply(all + file_json("last", "1"));
  w.run_for(3s);
  CHECK(w.standing("File/last") == "Ready");
  CHECK(w.workers->stuck() == 100);
}

TEST_CASE("agent: a newer desire while an apply hangs -> the newest wins") {
  world w;
  w.device.hanging = {"/srv/a"};
  w.start();
  w.apply(file_json("a", "1"));
  w.device.hanging.clear();
  w.apply(file_json("a", "2"));
  w.run_for(300ms);
  CHECK(w.standing("File/a") == "Pending");
  w.workers->release();
  w.run_for(10s);
  CHECK(w.standing("File/a") == "Ready");
  CHECK(w.device.things.at("/srv/a").revision == w.resource("File/a").revision);
}

TEST_CASE("agent: a dependency that is not ready -> blocked, then applied") {
  world w;
  w.device.broken["/srv/conf"] = {ec::disk_full, "no space"};
  w.start();
  w.apply(unit_json("web", R"(,"dependsOn":["File/conf"])") + "," + file_json("conf", "1"));
  CHECK(w.standing("SystemdUnit/web") == "Blocked DependencyNotReady");
  CHECK(w.resource("SystemdUnit/web").message == "waits for File/conf");
  CHECK(w.status().phase == agent_phase::degraded);
  w.device.broken.clear();
  w.run_for(5s);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: a resource of restartOn changes -> restarted, and converged only afterwards") {
  world w;
  w.start();
  const auto web = unit_json("web", R"(,"restartOn":["File/conf"])");
  w.apply(file_json("conf", "1") + "," + web);
  w.device.log.clear();
  w.device.broken["web.service"] = {ec::unit_failed, "exit status 1"};
  w.apply(file_json("conf", "2") + "," + web);
  CHECK(w.device.log == log{"apply /srv/conf", "fail web.service"});
  CHECK(w.status().phase == agent_phase::degraded);
  w.device.broken.clear();
  w.run_for(2s);
  CHECK(w.device.log == log{"apply /srv/conf", "fail web.service", "restart web.service"});
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: a unit ends as soon as it was started -> UnitFailed with the device's words") {
  world w;
  w.device.ending["web.service"] = {ec::unit_failed, "web.service failed: exit-code 3"};
  w.start();
  w.apply(unit_json("web"));
  CHECK(w.standing("SystemdUnit/web") == "Failed UnitFailed");
  CHECK(w.resource("SystemdUnit/web").message == "web.service failed: exit-code 3");
  w.device.ending.clear();
  w.run_for(5s);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: a resource of restartOn is rejected -> not waited for, and repaired as ever") {
  world w;
  w.start();
  const auto web = unit_json("web", R"(,"restartOn":["File/conf"])");
  const std::string bad =
    R"({"kind":"File","name":"conf","spec":{"path":"../conf","content":""}},)";
  SECTION("from the beginning") {
    w.apply(bad + web);
  }
  SECTION("after it was in place") {
    w.apply(file_json("conf", "1") + "," + web);
    w.apply(bad + web);
  }
  CHECK(w.standing("File/conf") == "Rejected InvalidSpec");
  CHECK(w.standing("SystemdUnit/web") == "Ready");
  w.device.things.erase("web.service");
  w.units_monitor->hint("web.service");
  w.run_for(1s);
  CHECK(w.device.things.count("web.service") == 1);
  CHECK(w.standing("SystemdUnit/web") == "Ready");

  w.device.log.clear();
  w.apply(file_json("conf", "2") + "," + web);
  CHECK(w.device.log == log{"apply /srv/conf", "restart web.service"});
}

TEST_CASE("agent: a resource of dependsOn is rejected -> waited for until it is corrected") {
  world w;
  w.start();
  const auto web = unit_json("web", R"(,"dependsOn":["File/conf"],"restartOn":["File/conf"])");
  w.apply(R"({"kind":"File","name":"conf","spec":{"path":"../conf","content":""}},)" + web);
  w.run_for(1h);
  CHECK(w.standing("SystemdUnit/web") == "Blocked DependencyNotReady");
  w.apply(file_json("conf", "1") + "," + web);
  CHECK(w.standing("SystemdUnit/web") == "Ready");
}

TEST_CASE(
  "agent: rubbish as desired state -> rejected with the reason, the last manifest stays in force") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  SECTION("not JSON") {
    w.put_desired("{\"apiVersion\":");
  }
  SECTION("for another device") {
    w.put_desired(R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-2",)"
                  R"("generation":9},"spec":{"resources":[]}})");
  }
  SECTION("an older generation") {
    w.generation = 0;
    w.apply(file_json("a", "2"));
  }
  CHECK(w.status().phase == agent_phase::rejected);
  CHECK(w.standing("File/a") == "Ready");
  w.drift("/srv/a");
  CHECK(w.standing("File/a") == "Ready");
  w.generation = 5;
  w.apply(file_json("a", "3"));
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.status().observed_generation == 6);
}

TEST_CASE("agent: one bad resource -> rejected, what it was stays, the others converge") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.apply(R"({"kind":"File","name":"a","spec":{"path":"../a","content":""}},)" + file_json("b", "1")
          + R"(,{"kind":"Container","name":"c","spec":{"image":"localhost/x:1"}})");
  CHECK(w.standing("File/a") == "Rejected InvalidSpec");
  CHECK(w.device.things.count("/srv/a") == 1);
  CHECK(w.standing("File/b") == "Ready");
  CHECK(w.standing("Container/c") == "Rejected CapabilityMissing");
  CHECK(w.status().phase == agent_phase::degraded);
}

TEST_CASE("agent: the desired key is deleted -> nothing stops") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  const auto entry = w.link.get(bucket::desired_state, "pi-1", {}).value();
  REQUIRE(w.link.remove(bucket::desired_state, "pi-1", entry->revision, {}));
  w.run_for(5min);
  CHECK(w.device.things.count("/srv/a") == 1);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE(
  "agent: the store is away -> drift is healed, and the status is current when it is back") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.link.set_connected(false);
  w.settle();
  w.drift("/srv/a");
  CHECK(w.device.log.size() == 2);
  w.device.broken["/srv/a"] = {ec::disk_full, "no space"};
  w.drift("/srv/a");
  w.run_for(5s);
  w.link.set_connected(true);
  w.settle();
  CHECK(w.standing("File/a") == "Failed DiskFull");
}

TEST_CASE("agent: connected -> the facts of the device are in the store, written once") {
  world w{[](agent_config& c) { c.facts = R"({"os":"x"})"; }};
  w.start();
  CHECK(w.link.get(bucket::device_info, "pi-1", {}).value()->value == R"({"os":"x"})");
  const auto revision = w.link.get(bucket::device_info, "pi-1", {}).value()->revision;
  w.link.set_connected(false);
  w.link.set_connected(true);
  w.settle();
  CHECK(w.link.get(bucket::device_info, "pi-1", {}).value()->revision == revision);
}

TEST_CASE("agent: somebody else wrote the status -> it is written over, by the newer revision") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  const auto entry = w.link.get(bucket::actual_state, "pi-1", {}).value();
  (void)w.link.put(bucket::actual_state, "pi-1", "rubbish", entry->revision, {}).value();
  w.apply(file_json("a", "2"));
  CHECK(w.status().observed_generation == 2);
}

TEST_CASE("agent: writes of the status fail -> it still arrives, and is current") {
  world w;
  w.start();
  w.link.fail_next(store_call::put, {ec::timed_out, "no answer"}, 2);
  w.link.force(bucket::desired_state, "pi-1", manifest_json(1, file_json("a", "1")));
  w.settle();
  CHECK(w.status().phase == agent_phase::starting);
  w.run_for(3s);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: the answer to a write is lost -> written once") {
  world w;
  w.start();
  w.link.lose_reply();
  w.link.force(bucket::desired_state, "pi-1", manifest_json(1, file_json("a", "1")));
  w.run_for(3s);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: started without a store -> converges to the manifest that it accepted last") {
  auto state = state_store::in_memory();
  {
    world w;
    w.state.swap(state);
    w.start();
    w.apply(file_json("a", "1") + "," + file_json("b", "1"));
    w.stop();
    w.state.swap(state);
  }
  world w;
  w.state.swap(state);
  w.link.set_connected(false);
  w.start();
  CHECK(w.device.things.size() == 2);
  w.generation = 1;
  w.link.set_connected(true);
  w.apply(file_json("a", "1"));
  CHECK(w.device.log.back() == "remove /srv/b");
  CHECK(w.status().observed_generation == 2);
}

TEST_CASE("agent: a day without events -> only heartbeats and polls") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.beats.clear();
  const auto puts = w.link.calls(store_call::put);
  const auto gets = w.link.calls(store_call::get);
  const auto log_size = w.device.log.size();
  w.run_for(24h - 1s);
  CHECK(w.beats.size() == 8640);
  CHECK(w.link.calls(store_call::put) == puts);
  CHECK(w.link.calls(store_call::get) - gets < 2 * 24 * 60 * 4 / 3); // the desire and the status
  CHECK(w.device.log.size() == log_size);
}

TEST_CASE("agent: stopped -> a last status, and what it manages stays") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.stop();
  CHECK(w.device.things.count("/srv/a") == 1);
  CHECK(w.status().phase == agent_phase::converged);
}

} // namespace harmony::test
