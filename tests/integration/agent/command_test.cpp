// What operators ask of a device, with the real harmonyctl, journal, systemd and podman.

#include <csignal>
#include <sstream>

#include <nlohmann/json.hpp>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

const std::string image = "localhost/harmony-test:1";
const std::string counts =
  "ExecStart=/bin/sh -c 'i=0; while sleep 0.1; do i=$$((i+1)); echo line $$i; done'";

/// harmonyctl over the store of `agent`.
std::unique_ptr<process> start_ctl(const agent_process& agent, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), HARMONYCTL);
  return std::make_unique<process>(
    arguments, std::string{},
    std::map<std::string, std::string>{{"HARMONY_STORE", agent.store_url()}});
}

run_result ctl(const agent_process& agent, std::vector<std::string> arguments) {
  return start_ctl(agent, std::move(arguments))->wait();
}

std::string invocation_of(const std::string& unit) {
  return shell("systemctl show --property=InvocationID --value " + unit);
}

} // namespace

TEST_CASE("commands: ping and explain --live -> the device's own words") {
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(unit_json("web", "ExecStart=/bin/false"));
  REQUIRE(agent.await_standing("SystemdUnit/web", "Failed UnitFailed") != "absent");
  const auto pinged = ctl(agent, {"ping", "pi-1"});
  INFO(pinged.err);
  CHECK(pinged.code == 0);
  CHECK_THAT(pinged.out, Contains("'pi-1' answered in ") && Contains("generation 1"));
  const auto told = ctl(agent, {"explain", "pi-1", "SystemdUnit/web", "--live"});
  CHECK_THAT(told.out, Contains("SystemdUnit/web: ") && Contains("next     "));
}

TEST_CASE("commands: logs -f of a unit -> its lines as they come, each once, in order") {
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(unit_json("web", counts));
  REQUIRE(agent.converged());
  const auto reader = start_ctl(agent, {"logs", "pi-1", "SystemdUnit/web", "-f", "-o", "json"});
  REQUIRE(reader->printed("line 12\""));
  reader->signal(SIGINT);
  const auto read = reader->wait();
  CHECK(read.code == 0);
  int last = 0;
  std::istringstream lines{read.out};
  for (std::string line; std::getline(lines, line);) {
    const auto text = json::parse(line)["text"].get<std::string>();
    if (text.rfind("line ", 0) != 0)
      continue; // what systemd says of it
    const int number = std::stoi(text.substr(5));
    CHECK((last == 0 || number == last + 1));
    last = number;
  }
  CHECK(last >= 12);
}

TEST_CASE("commands: logs of a container -> what it wrote; -f -> what it writes") {
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image(image);
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(R"({"kind":"Container","name":"app","spec":{"image":")" + image
              + R"(","pullPolicy":"Never","network":"none","command":["/bin/sh","-c",)"
                R"("i=0; while sleep 0.2; do i=$((i+1)); echo line $i; done"]}})");
  REQUIRE(agent.converged());
  const auto reader = start_ctl(agent, {"logs", "pi-1", "Container/app", "-f", "-o", "json"});
  REQUIRE(reader->printed("line 8\""));
  reader->signal(SIGINT);
  const auto read = reader->wait();
  int last = 0;
  std::istringstream lines{read.out};
  for (std::string line; std::getline(lines, line); ++last)
    CHECK(json::parse(line)["text"] == "line " + std::to_string(last + 1));
  CHECK(last >= 8);
  CHECK(ctl(agent, {"logs", "pi-1", "Container/app", "-n", "2"}).out.find("line ")
        != std::string::npos);
}

TEST_CASE("commands: restart -> another run of the unit; what does not run -> refused") {
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(unit_json("web", "ExecStart=/bin/sleep infinity") + ","
              + R"({"kind":"File","name":"a","spec":{"path":"/tmp/a","content":"x"}})");
  REQUIRE(agent.converged());
  const auto before = invocation_of("test-web.service");
  const auto done = ctl(agent, {"restart", "pi-1", "SystemdUnit/web", "--wait"});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(invocation_of("test-web.service") != before);
  CHECK(ctl(agent, {"restart", "pi-1", "File/a"}).code == 6);
  CHECK(ctl(agent, {"restart", "pi-1", "File/none"}).code == 3);
}

TEST_CASE("commands: hold -> a drift stays, over a restart of the agent; unhold -> healed") {
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(R"({"kind":"File","name":"a","spec":{"path":"/tmp/held","content":"declared"}})");
  REQUIRE(agent.converged());
  REQUIRE(ctl(agent, {"hold", "pi-1", "--for", "1h", "--reason", "by hand"}).code == 0);
  write_file("/tmp/held", "edited");
  CHECK(agent.await_standing("File/a", "Drifted Held") == "Drifted Held");
  agent.kill();
  agent.start();
  REQUIRE(becomes([&] { return ctl(agent, {"ping", "pi-1"}).code == 0; }));
  CHECK(agent.await_standing("File/a", "Observing Held") == "Observing Held");
  CHECK(read_file("/tmp/held") == "edited");
  CHECK_THAT(ctl(agent, {"explain", "pi-1"}).out, Contains("by hand"));
  REQUIRE(ctl(agent, {"unhold", "pi-1"}).code == 0);
  REQUIRE(agent.converged());
  CHECK(read_file("/tmp/held") == "declared");
}

TEST_CASE("commands: plan -> from what is on the device, and nothing is changed there") {
  agent_process agent{agent_program, {}};
  agent.start();
  const auto file = [](const std::string& name, const std::string& mode) {
    return R"({"kind":"File","name":")" + name + R"(","spec":{"path":"/tmp/plan-)" + name
           + R"(","content":"x","mode":")" + mode + R"("}})";
  };
  agent.apply(file("a", "0644") + "," + file("b", "0644"));
  REQUIRE(agent.converged());
  REQUIRE(ctl(agent, {"hold", "pi-1"}).code == 0);
  REQUIRE(run("chmod 0600 /tmp/plan-a"));
  const auto path = "/tmp/plan-manifest.json";
  write_file(path,
             R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1"},)"
             R"("spec":{"resources":[)"
               + file("a", "0644") + "," + file("c", "0640") + "]}}");
  const auto planned = ctl(agent, {"plan", "-f", path});
  INFO(planned.err);
  CHECK(planned.code == 0);
  CHECK(planned.out
        == "Agent pi-1: generation 2, compared with what is on the device\n"
           "  ~ update File/a  (differs on the device: mode)\n"
           "      mode: 0600 -> 0644\n"
           "  + create File/c  (it is not on the device)\n"
           "      content: sha256:2d711642b726\n"
           "      mode: 0640\n"
           "  - remove File/b  (it left the manifest)\n"
           "Plan: 1 to create, 1 to update, 1 to remove.\n");
  CHECK(read_file("/tmp/plan-b") == "x");
  CHECK_FALSE(run("test -e /tmp/plan-c"));
}

TEST_CASE("commands: read-only -> those that change something are refused, the others work") {
  agent_process agent{agent_program, {"--commands", "read-only"}};
  agent.start();
  agent.apply(unit_json("web", "ExecStart=/bin/sleep infinity"));
  REQUIRE(agent.converged());
  CHECK(ctl(agent, {"ping", "pi-1"}).code == 0);
  const auto refused = ctl(agent, {"restart", "pi-1", "SystemdUnit/web"});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Contains("commands = \"read-only\""));
}

} // namespace harmony::test
