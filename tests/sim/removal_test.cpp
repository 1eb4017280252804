// What leaves a manifest, and what becomes of it.
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

} // namespace

TEST_CASE("agent: a resource leaves the manifest -> collected, dependents first") {
  world w;
  w.start();
  w.apply(file_json("conf", "1") + "," + unit_json("web", R"(,"dependsOn":["File/conf"])"));
  CHECK(w.device.log == log{"apply /srv/conf", "apply web.service"});
  w.apply("");
  CHECK(w.device.log
        == log{"apply /srv/conf", "apply web.service", "remove web.service", "remove /srv/conf"});
  CHECK(w.status().resources.empty());
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.state->all().empty());
}

TEST_CASE(
  "agent: one of those that left cannot be removed -> the rest goes on, it is tried again") {
  world w;
  w.start();
  w.apply(file_json("stays", "1") + "," + file_json("goes", "1"));
  w.device.kept["/srv/stays"] = {ec::io_error, "busy"};
  w.apply(file_json("new", "1"));
  w.run_for(10s);
  CHECK(w.device.things.count("/srv/goes") == 0);
  CHECK(w.standing("File/new") == "Ready");
  CHECK(w.standing("File/stays") == "Removing IoError");
  CHECK(w.status().phase != agent_phase::converged);
  w.device.kept.clear();
  w.run_for(20s);
  CHECK(w.device.things.count("/srv/stays") == 0);
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE(
  "agent: a file moves out of a folder that leaves -> the folder goes after its old place") {
  world w;
  w.start();
  w.apply(folder_json("d") + "," + file_at("f", "/srv/d/f"));
  w.device.log.clear();
  w.device.broken["/srv/f"] = {ec::io_error, "no space"};
  w.apply(file_at("f", "/srv/f"));
  CHECK(w.device.things.count("/srv/d") == 1);
  SECTION("it gets there") {
    w.device.broken.clear();
    w.run_for(10s);
  }
  SECTION("it leaves, too") {
    w.apply("");
  }
  CHECK(w.device.things.count("/srv/d") == 0);
  CHECK(w.device.things.count("/srv/d/f") == 0);
  CHECK(w.device.log.back() == "remove /srv/d");
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: a folder that depends on what lies in it, and both leave -> both go") {
  world w;
  w.start();
  w.apply(file_at("f", "/srv/d/f") + "," + folder_json("d", R"(,"dependsOn":["File/f"])"));
  w.apply("");
  CHECK(w.device.things.empty());
  CHECK(w.status().phase == agent_phase::converged);
}

TEST_CASE("agent: stopped before a removal ended -> the leftover is removed after the start") {
  world w;
  REQUIRE(w.state->claim({{"File", "old"}, "/srv/d/old", true, {}}));
  REQUIRE(w.state->claim({{"Directory", "d"}, "/srv/d", true, {}}));
  w.start();
  CHECK(w.device.log.empty()); // nothing is collected before a manifest is loaded
  w.apply(file_json("a", "1"));
  CHECK(w.device.log == log{"remove /srv/d/old", "apply /srv/a", "remove /srv/d"});
  CHECK(w.status().resources.size() == 1);
}

TEST_CASE("agent: started with something left to remove -> not Converged before it is gone") {
  world w;
  w.start();
  w.apply(file_json("goes", "1"));
  w.device.kept["/srv/goes"] = {ec::io_error, "busy"};
  w.apply("");
  w.stop();
  w.put_desired("{"); // its refusal is written at once, with whatever is known by then
  bool converged = false;
  const auto watch = w.link.watch(bucket::actual_state, "pi-1", [&](const std::string&) {
    converged = converged || w.status().phase == agent_phase::converged;
  });
  w.start();
  w.run_for(20s);
  CHECK(w.standing("File/goes") == "Removing IoError");
  CHECK_FALSE(converged);
}

} // namespace harmony::test
