// The agent's own binary on a real device: systemd, podman, and both stores.

#include <filesystem>

#include <sys/stat.h>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

/// A File named like its path.
std::string file_at(const fs::path& path, const std::string& content) {
  return file_json(path.filename().string(), path.string(), content);
}

} // namespace

TEST_CASE("agent: files and a unit over a directory store -> converged, healed, collected") {
  temp_dir site;
  const auto page = site / "page";
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(file_at(page, "hello") + "," + unit_json("web", "ExecStart=/bin/sleep infinity"));
  REQUIRE(agent.converged());
  CHECK(read_file(page) == "hello");
  CHECK(run("systemctl is-active --quiet test-web.service"));

  write_file(page, "edited by hand");
  agent.await([&](const agent_status&) { return read_file(page) == "hello"; });
  CHECK(read_file(page) == "hello");
  REQUIRE(run("systemctl kill --signal=KILL test-web.service"));
  const resource_id web{"SystemdUnit", "web"};
  agent.await([&](const agent_status& s) {
    const auto it = s.resources.find(web);
    return it != s.resources.end() && it->second.attempts >= 2
           && it->second.phase == resource_phase::ready;
  });
  CHECK(run("systemctl is-active --quiet test-web.service"));

  agent.apply(file_at(page, "hello"));
  REQUIRE(agent.converged());
  CHECK_FALSE(run("systemctl is-active --quiet test-web.service"));
  CHECK_FALSE(fs::exists("/etc/systemd/system/test-web.service"));
  CHECK(agent.stop() == 0);
  CHECK(read_file(page) == "hello");
}

TEST_CASE("agent: a unit probe -> follows the unit, its own or another") {
  agent_process agent{agent_program, no_podman};
  agent.start();
  const auto probes = [](const std::string& unit) {
    return R"(,"probes":{"readiness":{"periodSeconds":1,"failureThreshold":1,"unit":{)" + unit
           + "}}}";
  };
  temp_dir site;
  const auto file =
    file_json("page", (site / "page").string(), "hello", probes(R"("unit":"test-db.service")"));
  agent.apply(file + "," + unit_json("web", "ExecStart=/bin/sleep infinity", probes("")));
  CHECK(agent.await_standing("SystemdUnit/web", "Ready") == "Ready");
  CHECK(agent.await_standing("File/page", "Probing ProbeFailed") == "Probing ProbeFailed");

  REQUIRE(run("systemd-run --quiet --unit=test-db.service /bin/sleep infinity"));
  REQUIRE(agent.converged());
  REQUIRE(run("systemctl stop test-db.service"));
  CHECK(agent.await_standing("File/page", "Probing ProbeFailed") == "Probing ProbeFailed");
  CHECK(agent.standing("SystemdUnit/web") == "Ready");
}

TEST_CASE("agent: a unit probe without systemd -> rejected with the reason") {
  agent_process agent{agent_program, files_only};
  agent.start();
  temp_dir site;
  const auto file = file_json("page", (site / "page").string(), "hello",
                              R"(,"probes":{"liveness":{"unit":{"unit":"x.service"}}})");
  agent.apply(file + "," + file_at(site / "other", "1"));
  CHECK(agent.await_standing("File/other", "Ready") == "Ready");
  CHECK(agent.standing("File/page") == "Rejected CapabilityMissing");
}

TEST_CASE("agent: over a real nats-server -> converged, and again after the server's restart") {
  nats_server server;
  temp_dir site;
  agent_process agent{agent_program, files_only, server.url()};
  agent.start();
  agent.apply(file_at(site / "a", "1"));
  REQUIRE(agent.converged());
  server.kill();
  write_file(site / "a", "edited while the server is away");
  server.start();
  const std::chrono::milliseconds soon{500};
  agent.await([&](const agent_status&) {
    return agent.link().get(bucket::desired_state, "pi-1", soon).ok();
  });
  agent.apply(file_at(site / "a", "2"));
  REQUIRE(agent.converged());
  CHECK(read_file(site / "a") == "2");
  CHECK(agent.stop() == 0);
}

TEST_CASE("agent: bad resources -> each its own reason, the good one converges") {
  temp_dir site;
  REQUIRE(mkfifo((site / "fifo").c_str(), 0600) == 0);
  write_file(site / "foreign", "not the agent's");
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(file_at(site / "good", "1") + "," + file_at(site / "fifo", "1") + ","
              + file_at(site / "foreign", "1") + R"(,{"kind":"File","name":"who","spec":{"path":")"
              + (site / "who").string() + R"(","content":"","owner":"nobody-has-this-name"}})" + ","
              + unit_json("broken", "ExecStart=/nowhere/to/be/found")
              + R"(,{"kind":"File","name":"dots","spec":{"path":"/tmp/../x","content":""}})"
              + R"(,{"kind":"Widget","name":"w","spec":{}})"
              + R"(,{"kind":"SystemdUnit","name":"noname","spec":{"unit":"no unit"}})"
              + R"(,{"kind":"Container","name":"c","spec":{"image":"localhost/x:1"}})");
  // Its reason is UnitFailed, and CrashLoopBackOff from the third time on.
  const auto has_failed = [](const agent_status& s) {
    const auto it = s.resources.find({"SystemdUnit", "broken"});
    return it != s.resources.end() && it->second.phase == resource_phase::failed
           && it->second.message.find("203/EXEC") != std::string::npos;
  };
  CHECK(has_failed(agent.await(has_failed)));
  const auto now =
    agent.await([](const agent_status& s) { return s.phase == agent_phase::degraded; });
  CHECK(now.phase == agent_phase::degraded);
  CHECK(agent.standing("File/good") == "Ready");
  CHECK(agent.standing("File/fifo") == "Failed NameConflict");
  CHECK(agent.standing("File/foreign") == "Failed NameConflict");
  CHECK(agent.standing("File/who") == "Failed NoSuchUser");
  CHECK(agent.standing("File/dots") == "Rejected InvalidSpec");
  CHECK(agent.standing("Widget/w") == "Rejected UnknownKind");
  CHECK(agent.standing("SystemdUnit/noname") == "Rejected InvalidSpec");
  CHECK(agent.standing("Container/c") == "Rejected CapabilityMissing");
  CHECK(read_file(site / "foreign") == "not the agent's");

  agent.put_desired("{ not json");
  CHECK(agent.await([](const agent_status& s) { return s.phase == agent_phase::rejected; }).phase
        == agent_phase::rejected);
  CHECK(agent.standing("File/good") == "Ready");
}

TEST_CASE("agent: an exec probe of a container -> ready once its command passes inside") {
  REQUIRE(run("systemctl start podman.socket"));
  REQUIRE(run("podman version >/dev/null")); // its storage is set up
  const std::string image = "localhost/harmony-test:1";
  build_test_image(image);
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(
    R"({"kind":"Container","name":"app","spec":{"image":")" + image
    + R"(","pullPolicy":"Never","network":"none"},"probes":{"readiness":{"periodSeconds":1,)"
      R"("timeoutSeconds":10,"exec":{"command":["/bin/cat","/tmp/ready"]}}}})");
  CHECK(agent.await_standing("Container/app", "Probing ProbeFailed") == "Probing ProbeFailed");
  REQUIRE(run("podman exec harmony-app /bin/sh -c 'echo yes >/tmp/ready'"));
  CHECK(agent.converged());
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("agent: podman hangs -> heartbeats and other resources unmoved") {
  REQUIRE(run("systemctl start podman.socket"));
  REQUIRE(run("podman version")); // its storage is set up
  const std::string image = "localhost/harmony-test:1";
  build_test_image(image);
  temp_dir site;
  agent_process agent{agent_program, {}};
  agent.start();
  const auto container = R"({"kind":"Container","name":"app","spec":{"image":")" + image
                         + R"(","pullPolicy":"Never","network":"none","command":["/bin/busybox",)"
                           R"("sleep","infinity"]}})";
  agent.apply(container);
  REQUIRE(agent.converged());
  REQUIRE(run("systemctl kill --signal=STOP podman.service"));
  agent.apply(file_at(site / "a", "1") + ","
              + R"({"kind":"Container","name":"app","spec":{"image":")" + image
              + R"(","pullPolicy":"Never","network":"none","command":["/bin/busybox","sleep",)"
                R"("1000"]}})");
  CHECK(agent.await_standing("File/a", "Ready") == "Ready");
  CHECK(agent.standing("Container/app") != "Ready");
  CHECK(agent.await_beats(5));
  REQUIRE(run("systemctl kill --signal=CONT podman.service"));
  CHECK(agent.converged());
  agent.apply("");
  CHECK(agent.converged());
  CHECK_FALSE(run("podman container exists harmony-app"));
}

TEST_CASE(
  "agent: SIGHUP -> a good configuration is taken over, a broken one refused with its line") {
  temp_dir folder;
  const auto config = folder / "agent.toml";
  write_file(config, "log-level = \"info\"\n");
  agent_process agent{agent_program,
                      {"--podman", "off", "--systemd", "off", "--config", config.string()}};
  agent.start();
  REQUIRE(agent.await_beats(1));
  write_file(config, "log-level = \"loud\"\n");
  agent.reload();
  CHECK(
    agent.logged("agent.toml:1: log-level: expected debug, info, warn, error or off, got 'loud'"));
  write_file(config, "log-level = \"debug\"\n");
  agent.reload();
  CHECK(agent.logged("configuration was read again"));
  CHECK(agent.await_beats(2));
  CHECK(agent.stop() == 0);
}

TEST_CASE(
  "agent: killed and started again -> nothing is touched, and what left meanwhile is collected") {
  temp_dir site;
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(file_at(site / "a", "1") + "," + file_at(site / "b", "1"));
  REQUIRE(agent.converged());
  const auto written = fs::last_write_time(site / "a");
  agent.kill();
  agent.apply(file_at(site / "a", "1"));
  agent.start();
  REQUIRE(agent.converged());
  CHECK(fs::last_write_time(site / "a") == written);
  CHECK_FALSE(fs::exists(site / "b"));
}

} // namespace harmony::test
