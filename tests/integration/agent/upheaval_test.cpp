// What somebody does to the device by hand, and what becomes of the runtimes under the agent.

#include <cstdio>
#include <filesystem>

#include <fcntl.h>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string image = "localhost/harmony-test:1";
const std::string sleeps = "ExecStart=/bin/sleep infinity";

void start_podman() {
  REQUIRE(run("systemctl start podman.socket"));
  build_test_image(image);
}

std::string id_of(const std::string& container) {
  return shell("podman inspect --format '{{.Id}}' " + container);
}

bool container_runs(const std::string& container) {
  return shell("podman inspect --format '{{.State.Running}}' " + container) == "true";
}

/// And waits until the agent made another.
void remove_by_hand(const std::string& container) {
  const auto former = id_of(container);
  REQUIRE(run("podman rm --force --time 0 " + container));
  CHECK(becomes([&] { return container_runs(container); }));
  CHECK(id_of(container) != former);
}

std::string main_pid(const std::string& unit) {
  return shell("systemctl show --property=MainPID --value " + unit);
}

bool unit_runs(const std::string& unit) {
  return run("systemctl is-active --quiet " + unit);
}

/// A power cut as podman sees it: nothing of `containers` runs any more, and what lies in /run is
/// gone.
void cut_power(agent_process& agent, const std::vector<std::string>& containers) {
  agent.kill();
  REQUIRE(run("systemctl stop podman.socket podman.service"));
  for (const auto& each : containers)
    run("kill -KILL $(podman inspect --format '{{.State.ConmonPid}} {{.State.Pid}}' " + each + ")");
  run("umount /run/netns/*");
  for (const auto* folder : {"libpod", "containers", "crun", "runc", "netns"})
    fs::remove_all(fs::path{"/run"} / folder);
  REQUIRE(run("systemctl start podman.socket"));
}

/// Puts what is at `a` in the place of what is at `b`, and the other way round, in one step: the
/// agent has no moment between to heal.
void exchange(const fs::path& a, const fs::path& b) {
  REQUIRE(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0);
}

} // namespace

TEST_CASE("upheaval: the device restarts -> unchanged containers start again, with their ids") {
  start_podman();
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(container_json("same", image) + "," + container_json("other", image, "old"));
  REQUIRE(agent.converged());
  const auto same = id_of("harmony-same");
  const auto other = id_of("harmony-other");
  cut_power(agent, {"harmony-same", "harmony-other"});
  REQUIRE_FALSE(container_runs("harmony-same"));
  agent.apply(container_json("same", image) + "," + container_json("other", image, "new"));
  agent.start();
  REQUIRE(agent.converged());
  CHECK(container_runs("harmony-same"));
  CHECK(id_of("harmony-same") == same);
  CHECK(container_runs("harmony-other"));
  CHECK(id_of("harmony-other") != other);
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("upheaval: podman's service restarts -> containers run on, the next drift is healed") {
  start_podman();
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(container_json("app", image));
  REQUIRE(agent.converged());
  const auto run_of_app = [] {
    return shell("podman inspect --format '{{.Id}} {{.State.StartedAt}}' harmony-app");
  };
  const auto before = run_of_app();
  REQUIRE(run("systemctl restart podman.service"));
  CHECK(run_of_app() == before);
  CHECK(container_runs("harmony-app"));
  remove_by_hand("harmony-app");
  CHECK(agent.converged());
  agent.apply("");
  CHECK(agent.converged());
  CHECK_FALSE(run("podman container exists harmony-app"));
}

TEST_CASE("upheaval: a container removed by hand -> made anew") {
  start_podman();
  agent_process agent{agent_program, {}};
  agent.start();
  agent.apply(container_json("app", image));
  REQUIRE(agent.converged());
  remove_by_hand("harmony-app");
  CHECK(agent.converged());
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("upheaval: a unit that ends at once with 0 -> a crash loop that says so, and waits") {
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(unit_json("short", "ExecStart=/bin/true"));
  const std::string id = "SystemdUnit/short";
  const auto now = agent.await(
    [&](const agent_status& s) { return resource_of(s, id).reason == "CrashLoopBackOff"; });
  const auto unit = resource_of(now, id);
  CHECK(unit.reason == "CrashLoopBackOff");
  CHECK_THAT(unit.message, Contains("times in a row; the last: "));
  // By the apply, or, where it outlived that by a moment, by the next look.
  CHECK_THAT(unit.message, Contains("it ran to its end") || Contains("inactive (dead)"));
  CHECK(unit.next_retry);
  CHECK(unit.attempts >= 3);
  CHECK(now.phase != agent_phase::converged);
}

TEST_CASE("upheaval: a unit file edited or deleted by hand -> as declared, and restarted") {
  const fs::path file = "/etc/systemd/system/test-web.service";
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(unit_json("web", sleeps));
  REQUIRE(agent.converged());
  const auto content = read_file(file);
  auto edited = content;
  edited.replace(edited.find("infinity"), 8, "1000");
  const auto pid = main_pid("test-web.service");
  SECTION("edited") {
    write_file(file, edited);
  }
  SECTION("edited, and loaded") {
    write_file(file, edited);
    REQUIRE(run("systemctl daemon-reload"));
  }
  SECTION("deleted") {
    fs::remove(file);
  }
  CHECK(becomes([&] { return fs::exists(file) && read_file(file) == content; }));
  CHECK(
    becomes([&] { return main_pid("test-web.service") != pid && unit_runs("test-web.service"); }));
  CHECK(agent.converged());
}

TEST_CASE("upheaval: something else where a file was -> healed, or NameConflict and left alone") {
  temp_dir site;
  const auto path = site / "f";
  const auto aside = site / "aside";
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(file_json("f", path.string(), "1"));
  REQUIRE(agent.converged());
  SECTION("a symlink -> replaced, what it points to is untouched") {
    write_file(site / "target", "secret");
    fs::create_symlink(site / "target", aside);
    exchange(aside, path);
    CHECK(becomes([&] { return fs::is_regular_file(fs::symlink_status(path)); }));
    CHECK(read_file(path) == "1");
    CHECK(read_file(site / "target") == "secret");
  }
  SECTION("a directory -> NameConflict; gone again -> healed") {
    fs::create_directory(aside);
    exchange(aside, path);
    CHECK(agent.await_standing("File/f", "Failed NameConflict") == "Failed NameConflict");
    CHECK(fs::is_directory(path));
    fs::remove(path);
    CHECK(agent.await_standing("File/f", "Ready") == "Ready");
    CHECK(read_file(path) == "1");
  }
  CHECK(agent.converged());
}

TEST_CASE("upheaval: an immutable file -> PermissionDenied while it is, healed afterwards") {
  temp_dir site;
  const auto path = site / "f";
  agent_process agent{agent_program, files_only};
  agent.start();
  agent.apply(file_json("f", path.string(), "1") + ","
              + file_json("g", (site / "g").string(), "1"));
  REQUIRE(agent.converged());
  if (!run("chattr +i " + path.string())) {
    WARN("this kernel's tmpfs knows no immutable files; not tested");
    return;
  }
  agent.apply(file_json("f", path.string(), "2") + ","
              + file_json("g", (site / "g").string(), "2"));
  CHECK(agent.await_standing("File/f", "Failed PermissionDenied") == "Failed PermissionDenied");
  CHECK(agent.await_standing("File/g", "Ready") == "Ready");
  CHECK(read_file(path) == "1");
  CHECK(run("chattr -i " + path.string()));
  CHECK(agent.converged());
  CHECK(read_file(path) == "2");
}

TEST_CASE("upheaval: systemd or its bus restarts -> units run on, drift is healed, news taken up") {
  agent_process agent{agent_program, no_podman};
  agent.start();
  agent.apply(unit_json("web", sleeps));
  REQUIRE(agent.converged());
  const auto pid = main_pid("test-web.service");
  SECTION("systemd executes itself anew") {
    REQUIRE(run("systemctl daemon-reexec"));
  }
  SECTION("the bus restarts") {
    REQUIRE(run("systemctl restart dbus.service"));
  }
  REQUIRE(agent.await_beats(3));
  CHECK(becomes([&] { return main_pid("test-web.service") == pid; }));
  REQUIRE(run("systemctl kill --signal=KILL test-web.service"));
  CHECK(
    becomes([&] { return unit_runs("test-web.service") && main_pid("test-web.service") != pid; }));
  agent.apply(unit_json("web", sleeps) + "," + unit_json("more", sleeps));
  CHECK(agent.converged());
  CHECK(unit_runs("test-more.service"));
}

} // namespace harmony::test
