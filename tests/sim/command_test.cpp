// What operators ask of a running agent.
#include "model/commands.hpp"
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

template <class Result>
Result answered(const std::string& text) {
  const auto read = read_answer<Result>(text);
  INFO(text);
  REQUIRE(read);
  return *read;
}

/// The reason of a refusal.
std::string refused(const std::string& text) {
  const auto read = read_answer<done_result>(text);
  INFO(text);
  REQUIRE_FALSE(read);
  return std::string{reason_of(read.error().code)};
}

std::string of(const std::string& resource) {
  return R"({"resource":")" + resource + R"("})";
}

bool has_condition(const agent_status& s, const std::string& type, condition_state is) {
  return std::any_of(s.conditions.begin(), s.conditions.end(),
                     [&](const condition& c) { return c.type == type && c.status == is; });
}

} // namespace

TEST_CASE("command: ping -> who it is and where it stands") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.run_for(90s);
  const auto got = answered<ping_result>(w.command("ping"));
  CHECK(got.agent == "pi-1");
  CHECK(got.version == "1.2.3");
  CHECK(got.uptime == 90);
  CHECK(got.observed_generation == 1);
  CHECK(got.phase == agent_phase::converged);
}

TEST_CASE("command: explain -> the device's own words, of one resource too") {
  world w;
  w.device.broken["/srv/bad"] = {ec::disk_full, "no space left on '/srv'"};
  w.start();
  w.apply(file_json("bad", "1") + "," + file_json("next", "1", R"(,"dependsOn":["File/bad"])"));
  const auto all = answered<explain_result>(w.command("explain")).explanations;
  REQUIRE(all.size() == 3);
  CHECK(all[0].subject == "pi-1");
  CHECK(all[1].subject == "File/bad");
  CHECK(all[1].because.front() == "no space left on '/srv'");
  CHECK(all[2].because.front().find("it waits for File/bad") == 0);
  const auto one = answered<explain_result>(w.command("explain", of("File/next"))).explanations;
  REQUIRE(one.size() == 1);
  CHECK(one[0].subject == "File/next");
  CHECK(refused(w.command("explain", of("File/none"))) == "NotFound");
}

TEST_CASE("command: restart of a unit -> run again at once, its backoff forgiven") {
  world w;
  w.start();
  w.apply(unit_json("web"));
  w.device.log.clear();
  CHECK(answered<restart_result>(w.command("restart", of("SystemdUnit/web"))).attempts == 1);
  CHECK(w.device.log == log{"restart web.service"});
  CHECK(w.standing("SystemdUnit/web") == "Ready");
  CHECK(w.resource("SystemdUnit/web").attempts == 2);

  w.device.broken["web.service"] = {ec::unit_failed, "exit status 1"};
  for (int i = 0; i < 2; ++i)
    (void)w.command("restart", of("SystemdUnit/web"));
  CHECK(w.standing("SystemdUnit/web") == "Failed UnitFailed");
  w.device.broken.clear();
  w.device.log.clear();
  (void)w.command("restart", of("SystemdUnit/web"));
  CHECK(w.device.log == log{"restart web.service"});
  CHECK(w.standing("SystemdUnit/web") == "Ready");
}

TEST_CASE("command: restart of what does not run, or is not there -> refused") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.device.log.clear();
  CHECK(refused(w.command("restart", of("File/a"))) == "InvalidSpec");
  CHECK(refused(w.command("restart", of("File/b"))) == "NotFound");
  CHECK(refused(w.command("restart")) == "InvalidDocument");
  CHECK(w.device.log.empty());
}

TEST_CASE("command: hold -> drift is seen and not repaired, visible, and ends by itself") {
  world w;
  w.start();
  w.apply(file_json("a", "1") + "," + file_json("b", "1"));
  w.device.log.clear();
  (void)answered<hold_result>(
    w.command("hold", R"({"resource":"File/a","seconds":60,"reason":"looking into it"})"));
  CHECK(w.resource("File/a").hold->reason == "looking into it");
  CHECK_FALSE(w.resource("File/b").hold);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(has_condition(w.status(), "Held", condition_state::true_));

  w.drift("/srv/a");
  w.drift("/srv/b");
  CHECK(w.device.log == log{"apply /srv/b"});
  w.run_for(300ms); // on the way, a status is written now and then
  CHECK(w.standing("File/a") == "Drifted Held");
  CHECK(w.status().phase != agent_phase::converged);
  w.run_for(59s);
  CHECK(w.device.log.size() == 1);
  w.run_for(2s);
  CHECK(w.device.log == log{"apply /srv/b", "apply /srv/a"});
  CHECK(w.standing("File/a") == "Ready");
  CHECK_FALSE(w.resource("File/a").hold);
  CHECK(has_condition(w.status(), "Held", condition_state::false_));
}

TEST_CASE("command: hold of the whole device -> new resources wait too; unhold -> they go on") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.device.log.clear();
  (void)answered<hold_result>(w.command("hold", R"({"seconds":3600})"));
  w.apply(file_json("b", "1"));
  w.run_for(300ms);
  CHECK(w.device.log.empty());
  CHECK(w.standing("File/b") == "Observing Held");
  CHECK(w.standing("File/a") == "Removing Held");
  CHECK(refused(w.command("unhold", of("File/b"))) == "NotFound");
  CHECK(answered<unhold_result>(w.command("unhold")).released == 1);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.device.log.size() == 2);
}

TEST_CASE("command: the agent restarts during a hold -> it still holds, and ends in time") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  (void)w.command("hold", R"({"seconds":600})");
  w.stop();
  w.device.things["/srv/a"].revision = "edited by hand";
  w.device.log.clear();
  w.start();
  w.run_for(100s);
  CHECK(w.device.log.empty());
  CHECK(w.resource("File/a").hold);
  w.run_for(600s);
  CHECK(w.device.log == log{"apply /srv/a"});
}

TEST_CASE("command: restart of what is held -> refused") {
  world w;
  w.start();
  w.apply(unit_json("web"));
  (void)w.command("hold", of("SystemdUnit/web"));
  CHECK(refused(w.command("restart", of("SystemdUnit/web"))) == "Conflict");
}

TEST_CASE("command: resync -> a drift that nobody told of is found at once") {
  world w;
  w.start();
  w.apply(file_json("a", "1"));
  w.run_for(1s);
  w.device.things["/srv/a"].revision = "edited by hand";
  w.device.log.clear();
  (void)answered<done_result>(w.command("resync"));
  CHECK(w.device.log == log{"apply /srv/a"});
}

TEST_CASE("command: logs -> the newest lines, then those that came") {
  world w;
  w.device.logs["web.service"] = {"one", "two", "three"};
  w.start();
  w.apply(unit_json("web") + "," + file_json("a", "1"));
  auto got = answered<logs_result>(w.command("logs", R"({"resource":"SystemdUnit/web","tail":2})"));
  REQUIRE(got.lines.size() == 2);
  CHECK(got.lines[1].text == "three");
  w.device.logs["web.service"].emplace_back("four");
  got = answered<logs_result>(
    w.command("logs", R"({"resource":"SystemdUnit/web","cursor":")" + got.cursor + "\"}"));
  REQUIRE(got.lines.size() == 1);
  CHECK(got.lines[0].text == "four");
  CHECK(refused(w.command("logs", of("File/a"))) == "NotFound");
  CHECK(refused(w.command("logs", of("File/none"))) == "NotFound");
}

TEST_CASE("command: plan -> from what is on the device, and nothing is changed") {
  world w;
  w.start();
  w.apply(file_json("kept", "1") + "," + file_json("drifted", "1") + "," + file_json("old", "1")
          + "," + file_json("stays", "1", R"(,"onRemove":"retain")"));
  (void)w.command("hold");
  w.drift("/srv/drifted");
  w.device.log.clear();
  const auto manifest = manifest_json(
    2, file_json("kept", "1") + "," + file_json("drifted", "1") + "," + file_json("fresh", "1")
         + R"(,{"kind":"Container","name":"app","spec":{"image":"x:1"}})");
  const auto rows = answered<plan_result>(w.command("plan", manifest)).resources;
  std::map<std::string, std::string> steps;
  for (const auto& r : rows)
    steps[r.id.str()] = std::string{name_of(r.step)} + ": " + r.reason;
  CHECK(steps
        == std::map<std::string, std::string>{
          {"File/kept", "keep: it is as declared"},
          {"File/drifted", "update: differs on the device: content"},
          {"File/fresh", "create: it is not on the device"},
          {"Container/app", "blocked: CapabilityMissing: this device cannot run kind 'Container': "
                            "podman is off in its configuration"},
          {"File/old", "remove: it left the manifest"},
          {"File/stays", "keep: it left the manifest and stays, as onRemove says"}});
  CHECK(rows[1].changes.front().from == "edited by hand");
  CHECK(w.device.log.empty());
  CHECK(w.status().observed_generation == 1);
}

TEST_CASE("command: a bad manifest to plan -> refused with its fault") {
  world w;
  w.start();
  CHECK(refused(w.command("plan", "{")) == "InvalidDocument");
  auto other = manifest_json(1, "");
  other.replace(other.find("pi-1"), 4, "pi-2");
  CHECK(refused(w.command("plan", other)) == "WrongAgent");
}

TEST_CASE("command: a verb or request that is none -> refused, and the agent goes on") {
  world w;
  w.start();
  CHECK(refused(w.command("reboot")) == "NotFound");
  CHECK(refused(w.command("hold", "nonsense")) == "InvalidDocument");
  CHECK(refused(w.command("hold", R"({"seconds":0})")) == "InvalidDocument");
  CHECK(refused(w.command("hold", R"({"second":5})")) == "InvalidDocument");
  CHECK(refused(w.command("hold", of("File/none"))) == "NotFound");
  CHECK(answered<ping_result>(w.command("ping")).agent == "pi-1");
}

TEST_CASE("command: a device that allows only reading -> changes nothing") {
  world w{[](agent_config& c) { c.commands = command_access::read_only; }};
  w.start();
  w.apply(unit_json("web"));
  for (const auto* verb : {"resync", "restart", "hold", "unhold"})
    CHECK(refused(w.command(verb, of("SystemdUnit/web"))) == "NotAllowed");
  CHECK(answered<ping_result>(w.command("ping")).agent == "pi-1");
}

TEST_CASE("command: commands off -> nobody serves them") {
  world w{[](agent_config& c) { c.commands = command_access::off; }};
  w.start();
  CHECK_FALSE(w.link.send_command("pi-1", "ping", "", [](const auto&) {}));
}

TEST_CASE("command: a resource's apply hangs -> ping, explain and logs are answered") {
  world w;
  w.device.logs["web.service"] = {"one"};
  w.device.hanging.insert("/srv/a");
  w.start();
  w.apply(unit_json("web") + "," + file_json("a", "1"));
  CHECK(answered<ping_result>(w.command("ping")).phase == agent_phase::converging);
  CHECK(answered<explain_result>(w.command("explain", of("File/a"))).explanations.size() == 1);
  CHECK(answered<logs_result>(w.command("logs", of("SystemdUnit/web"))).lines.size() == 1);
}

} // namespace harmony::test
