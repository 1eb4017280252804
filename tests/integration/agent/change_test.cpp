// What an operator changes, also at the wrong moment, as seen from outside of a real agent.

#include <csignal>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;

/// The lines of a unit that notes its starts and stops, by the first letter of its name.
std::string noting(const std::string& name, const std::string& log) {
  return R"(ExecStartPre=/bin/sh -c 'echo +)" + name + " >>" + log
         + R"('\nExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c 'echo -)" + name + " >>" + log
         + "'";
}

} // namespace

TEST_CASE("change: a retry that waits is overtaken by an update and by a delete") {
  temp_dir site;
  const auto missing = (site / "missing/f").string();
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(file_json("moved", missing, "1") + "," + file_json("gone", missing + "2", "1"));
  const auto tired = [](const agent_status& s) {
    const auto waits = [&](const char* id) {
      const auto r = resource_of(s, id);
      return r.phase == resource_phase::failed && r.attempts >= 4 && r.next_retry;
    };
    return waits("File/moved") && waits("File/gone"); // the next in about 8 s
  };
  const auto before = agent.await(tired);
  REQUIRE(tired(before));
  agent.apply(file_json("moved", (site / "f").string(), "2"));
  REQUIRE(agent.converged());
  CHECK(std::chrono::system_clock::now() < *resource_of(before, "File/moved").next_retry);
  CHECK(read_file(site / "f") == "2");
  CHECK(agent.standing("File/gone") == "absent");
}

TEST_CASE("change: a cycle -> rejected with the way round, what is beside it converges") {
  temp_dir site;
  const auto at = [&](const char* name) { return (site / name).string(); };
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(file_json("a", at("a"), "1", after("File/b")) + ","
              + file_json("b", at("b"), "1", after("File/a")) + "," + file_json("c", at("c"), "1"));
  CHECK(agent.await_standing("File/c", "Ready") == "Ready");
  CHECK(agent.standing("File/a") == "Rejected DependencyCycle");
  CHECK_THAT(resource_of(agent.status(), "File/a").message, Contains("File/a -> File/b -> File/a"));
  CHECK_FALSE(std::filesystem::exists(at("a")));
}

TEST_CASE("change: dependent units -> started in order, and stopped in the reverse one") {
  temp_dir site;
  const auto log = (site / "log").string();
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(unit_json("c", noting("c", log), after("SystemdUnit/b")) + ","
              + unit_json("b", noting("b", log), after("SystemdUnit/a")) + ","
              + unit_json("a", noting("a", log)));
  REQUIRE(agent.converged());
  agent.apply("");
  REQUIRE(agent.converged());
  CHECK(read_file(log) == "+a\n+b\n+c\n-c\n-b\n-a\n");
}

TEST_CASE("change: two updates wait while an apply hangs -> the newest wins, the other never ran") {
  temp_dir site;
  const auto log = (site / "log").string();
  const auto slow = [&](const std::string& name) {
    return unit_json("slow", "ExecStartPre=/bin/sh -c 'echo " + name + " >>" + log + "; test "
                               + name + " = c || sleep infinity'\\nExecStart=/bin/sleep infinity");
  };
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(slow("a"));
  REQUIRE(becomes([&] { return std::filesystem::exists(log); }));
  REQUIRE(::kill(agent.pid(), SIGSTOP) == 0);
  agent.apply(slow("b"));
  agent.apply(slow("c"));
  REQUIRE(::kill(agent.pid(), SIGCONT) == 0);
  REQUIRE(agent.converged());
  CHECK(read_file(log) == "a\nc\n");
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("change: a broken image -> rolled back with its reason, the old container untouched") {
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image("localhost/harmony-test:1");
  temp_dir site;
  const auto conf = (site / "conf").string();
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(container_json("app", "localhost/harmony-test:1") + ","
              + file_json("conf", conf, "1"));
  REQUIRE(agent.converged());
  const auto id = shell("podman inspect --format '{{.Id}} {{.State.StartedAt}}' harmony-app");
  agent.apply(container_json("app", "localhost/harmony-none:2") + ","
                + file_json("conf", conf, "2"),
              R"("progressDeadlineSeconds":3,)");
  const auto rolled_back = [](const agent_status& s) {
    return condition_of(s, "ManifestAccepted").reason == "RolledBack"
           && resource_of(s, "File/conf").phase == resource_phase::ready
           && resource_of(s, "Container/app").phase == resource_phase::ready;
  };
  const auto now = agent.await(rolled_back);
  CHECK(rolled_back(now));
  CHECK(now.observed_generation == 1);
  CHECK_THAT(condition_of(now, "ManifestAccepted").message,
             Contains("Container/app") && Contains("ImageNotFound"));
  CHECK(shell("podman inspect --format '{{.Id}} {{.State.StartedAt}}' harmony-app") == id);
  CHECK(becomes([&] { return read_file(conf) == "1"; }));
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("change: one of those that left cannot be removed -> the rest goes and comes, it later") {
  temp_dir site;
  const auto at = [&](const char* name) { return (site / name).string(); };
  agent_process agent{agent_program, files_only};
  agent.start();
  const std::string user = R"({"kind":"User","name":"u","spec":{"user":"hb-busy","system":true}})";
  agent.apply(user + "," + file_json("old", at("old"), "1", after("User/u")) + ","
              + file_json("older", at("older"), "1"));
  REQUIRE(agent.converged());
  const process busy{
    {"/usr/bin/setpriv", "--reuid=hb-busy", "--clear-groups", "/bin/sleep", "infinity"}, "", {}};
  REQUIRE(becomes([] { return run("pgrep -u hb-busy"); }));
  agent.apply(file_json("new", at("new"), "1"));
  CHECK(agent.await_standing("File/new", "Ready") == "Ready");
  const auto refused = agent.await(
    [](const agent_status& s) { return resource_of(s, "User/u").reason == "AccountFailed"; });
  CHECK(resource_of(refused, "User/u").phase == resource_phase::removing);
  CHECK_THAT(resource_of(refused, "User/u").message, Contains("process"));
  CHECK_FALSE(std::filesystem::exists(at("old")));
  CHECK_FALSE(std::filesystem::exists(at("older")));
  busy.signal(SIGKILL);
  CHECK(agent.converged());
  CHECK_FALSE(run("id hb-busy"));
}

TEST_CASE("change: files move out of a folder that leaves -> it waits for them, and goes") {
  temp_dir site;
  const auto folder = (site / "folder").string();
  const auto files_in = [](const std::string& where, const std::string& beside) {
    std::string all;
    for (int n = 0; n < 20; ++n) {
      const auto name = "f" + std::to_string(n);
      all += (n == 0 ? "" : ",") + file_json(name, where + "/" + name, "1", beside);
    }
    return all;
  };
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(R"({"kind":"Directory","name":"d","spec":{"path":")" + folder + "\"}},"
              + files_in(folder, after("Directory/d")));
  REQUIRE(agent.converged());
  agent.apply(files_in(site.str(), ""));
  REQUIRE(agent.converged());
  CHECK(read_file(site / "f19") == "1");
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("change: a probe that flaps -> the resource is ready and not, and never restarted") {
  temp_dir site;
  const auto well = site / "well";
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(unit_json("flaps", "ExecStart=/bin/sleep infinity",
                        R"(,"probes":{"readiness":{"periodSeconds":1,"failureThreshold":1,)"
                        R"("exec":{"command":["/usr/bin/test","-e",")"
                          + well.string() + "\"]}}}"));
  const std::string id = "SystemdUnit/flaps";
  CHECK(agent.await_standing(id, "Probing ProbeFailed") == "Probing ProbeFailed");
  const auto main_pid = shell("systemctl show --property=MainPID test-flaps.service");
  for (int round = 0; round < 2; ++round) {
    write_file(well, "");
    CHECK(agent.await_standing(id, "Ready") == "Ready");
    CHECK(agent.converged());
    std::filesystem::remove(well);
    CHECK(agent.await_standing(id, "Probing ProbeFailed") == "Probing ProbeFailed");
    CHECK(agent.status().phase == agent_phase::converging);
  }
  CHECK(shell("systemctl show --property=MainPID test-flaps.service") == main_pid);
  CHECK(resource_of(agent.status(), id).attempts == 1);
  CHECK(resource_of(agent.status(), id).restarts == 0);
}

} // namespace harmony::test
