// Whole generations: what is fetched before a change, what is gone back to, what stays behind.
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

condition condition_of(const agent_status& s, const std::string& type) {
  for (const auto& c : s.conditions)
    if (c.type == type)
      return c;
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE(
  "rollback: a generation is not ready in time -> the last one that converged is in force") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.device.broken["/srv/b"] = {ec::image_not_found, "no such image"};
  w.apply(file_json("a", "2") + "," + file_json("b", "1"));
  w.run_for(599s);
  CHECK(w.status().phase == agent_phase::degraded);
  CHECK(w.device.things["/srv/a"].revision == w.resource("File/a").revision);
  const auto second = w.device.things["/srv/a"].revision;
  w.run_for(2s);
  CHECK(w.device.things["/srv/a"].revision != second);
  CHECK(w.standing("File/b") == "absent");
  CHECK(w.status().phase == agent_phase::rejected);
  CHECK(w.status().observed_generation == 1);
  const auto why = condition_of(w.status(), "ManifestAccepted");
  CHECK(why.status == condition_state::false_);
  CHECK(why.reason == "RolledBack");
  CHECK(contains(why.message, "generation 2 was not ready in time and generation 1 is in force"));
  CHECK(contains(why.message, "File/b is Failed, ImageNotFound: no such image"));

  SECTION("and stays so: it is not tried again") {
    const auto before = w.device.log.size();
    w.run_for(3600s);
    CHECK(w.device.log.size() == before);
  }
  SECTION("over a restart of the agent") {
    w.stop();
    w.start();
    w.run_for(1s);
    CHECK(w.status().observed_generation == 1);
    CHECK(condition_of(w.status(), "ManifestAccepted").reason == "RolledBack");
    CHECK(w.standing("File/b") == "absent");
    w.run_for(3600s);
    CHECK(w.status().phase == agent_phase::rejected);
  }
  SECTION("until a newer one comes") {
    w.device.broken.clear();
    w.apply(file_json("a", "2") + "," + file_json("b", "1"));
    CHECK(w.status().phase == agent_phase::converged);
    CHECK(w.status().observed_generation == 3);
    CHECK(condition_of(w.status(), "ManifestAccepted").status == condition_state::true_);
  }
  SECTION("and rubbish in between changes nothing of it") {
    w.put_desired("{");
    CHECK(condition_of(w.status(), "ManifestAccepted").reason == "InvalidDocument");
    w.put_desired(manifest_json(2, file_json("a", "2") + "," + file_json("b", "1")));
    CHECK(condition_of(w.status(), "ManifestAccepted").reason == "RolledBack");
  }
}

TEST_CASE("rollback: nothing converged before -> it goes on trying, and says so") {
  world w;
  w.start();
  w.device.broken["/srv/a"] = {ec::disk_full, "full"};
  w.apply(file_json("a", "1"));
  w.run_for(601s);
  const auto progress = condition_of(w.status(), "Progressing");
  CHECK(progress.status == condition_state::false_);
  CHECK(progress.reason == "ProgressDeadlineExceeded");
  CHECK(progress.message == "File/a is Failed, DiskFull: full");
  w.device.broken.clear();
  w.run_for(400s);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(condition_of(w.status(), "Progressing").status == condition_state::true_);
}

TEST_CASE("rollback: deadline of 0 -> never") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.device.broken["/srv/a"] = {ec::disk_full, "full"};
  auto text = manifest_json(2, file_json("a", "2"));
  text.replace(text.find("\"resources\""), 0, "\"progressDeadlineSeconds\":0,");
  w.generation = 2;
  w.put_desired(text);
  w.run_for(4000s);
  CHECK(w.status().observed_generation == 2);
  CHECK(w.status().phase == agent_phase::degraded);
}

TEST_CASE("rollback: only a rejected resource is in the way -> the others stay as they are") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.apply(file_json("a", "2") + R"(,{"kind":"Thing","name":"x","spec":{}})");
  w.run_for(601s);
  CHECK(w.status().observed_generation == 2);
  CHECK(w.standing("File/a") == "Ready");
}

TEST_CASE("rollback: converged in time, broken later -> no generation is given up for that") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.apply(file_json("a", "2"));
  w.device.broken["/srv/a"] = {ec::disk_full, "full"};
  w.drift("/srv/a");
  w.run_for(1000s);
  CHECK(w.status().observed_generation == 2);
  CHECK(w.standing("File/a") == "Failed DiskFull");
}

TEST_CASE("prefetch: slow content -> what hangs together waits, all else converges") {
  world w;
  w.start();
  const auto depends = R"(,"dependsOn":["File/app"])";
  w.apply(file_json("app", "1") + "," + file_json("conf", "1", depends) + ","
          + file_json("other", "1") + "," + file_json("gone", "1", depends));
  w.device.remote = {"/srv/app"};
  w.device.slow = {"/srv/app"};
  w.device.log.clear();
  w.apply(file_json("app", "2") + "," + file_json("conf", "2", depends) + ","
          + file_json("other", "2"));
  w.run_for(300ms);
  CHECK(w.device.log == log{"apply /srv/other"});
  CHECK(w.status().phase != agent_phase::converged);

  SECTION("it arrives -> the change is made in its order") {
    w.device.slow.clear();
    w.workers->release();
    w.settle();
    CHECK(w.device.log
          == log{"apply /srv/other", "fetch /srv/app", "remove /srv/gone", "apply /srv/app",
                 "apply /srv/conf"});
    CHECK(w.status().phase == agent_phase::converged);
  }
  SECTION("it never does -> the change is tried all the same after two minutes") {
    w.run_for(121s);
    CHECK(w.device.things.count("/srv/gone") == 0);
    CHECK(w.status().phase == agent_phase::converged);
  }
  SECTION("a newer manifest without it -> it is given up") {
    w.apply(file_json("app", "1") + "," + file_json("conf", "3", depends));
    CHECK(w.standing("File/conf") == "Ready");
    CHECK(w.status().phase == agent_phase::converged);
  }
}

TEST_CASE("prefetch: nothing in place yet -> nothing is waited for") {
  world w;
  w.start();
  w.device.remote = {"/srv/app"};
  w.apply(file_json("app", "1"));
  CHECK(w.device.log == log{"apply /srv/app"});
}

TEST_CASE("onRemove: retain -> the thing stays and is nobody's") {
  world w;
  w.start();
  w.apply(file_json("a", "1", R"(,"onRemove":"retain")") + "," + file_json("b", "1"));
  SECTION("at once") {
    w.apply("");
    CHECK(w.device.things.count("/srv/a") == 1);
    CHECK(w.device.things.count("/srv/b") == 0);
    CHECK(w.state->all().empty());
    CHECK(w.status().phase == agent_phase::converged);
  }
  SECTION("also when the agent was stopped before it came to that") {
    w.stop();
    (void)w.state->save_accepted(2, 1, "x", manifest_json(2, ""));
    w.start();
    CHECK(w.device.things.count("/srv/a") == 1);
    CHECK(w.device.things.count("/srv/b") == 0);
    CHECK(w.state->all().empty());
  }
}

TEST_CASE("dependsOn: applied -> does not wait for probes; ready -> does") {
  world w;
  w.probes->fails("base.service");
  w.start();
  const auto probed =
    R"(,"probes":{"readiness":{"tcp":{"port":1},"periodSeconds":1,"failureThreshold":1}})";
  w.apply(
    unit_json("base", probed) + "," + file_json("late", "1", R"(,"dependsOn":["SystemdUnit/base"])")
    + ","
    + file_json("early", "1", R"(,"dependsOn":[{"id":"SystemdUnit/base","condition":"applied"}])"));
  w.run_for(5s);
  CHECK(w.standing("SystemdUnit/base") == "Probing ProbeFailed");
  CHECK(w.standing("File/early") == "Ready");
  CHECK(w.standing("File/late") == "Blocked DependencyNotReady");
}

TEST_CASE("restarts: counted, and kept over a restart of the agent with the backoff") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  for (int i = 0; i < 3; ++i) {
    w.drift("/srv/a");
    w.run_for(10s);
  }
  CHECK(w.resource("File/a").restarts == 3);
  w.device.broken["/srv/a"] = {ec::disk_full, "full"};
  w.drift("/srv/a");
  w.run_for(60s);
  const auto attempts = w.device.log.size();
  w.stop();
  w.start();
  w.run_for(300ms);
  CHECK(w.resource("File/a").restarts == 4);
  CHECK(w.standing("File/a") == "Failed DiskFull");
  const auto begun = w.device.log.size();
  CHECK(begun == attempts + 1); // one look, one try, and then the backoff that it had
  w.run_for(15s);
  CHECK(w.device.log.size() == begun);
}

} // namespace harmony::test
