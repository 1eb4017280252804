// The agent's memory on the device: without a network, lost, on a disk that cannot be written.

#include <algorithm>
#include <filesystem>

#include "state/state_store.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const std::string program = HARMONY_AGENT;

std::string file_json(const fs::path& path, const std::string& content) {
  return R"({"kind":"File","name":")" + path.filename().string() + R"(","spec":{"path":")"
         + path.string() + R"(","content":")" + content + R"("}})";
}

std::string unit_json(const std::string& name) {
  return R"({"kind":"SystemdUnit","name":")" + name + R"(","spec":{"unit":"state-)" + name
         + R"(.service","content":"[Service]\nExecStart=/bin/sleep infinity\n"}})";
}

std::string container_json(const std::string& name, const std::string& image) {
  return R"({"kind":"Container","name":")" + name + R"(","spec":{"image":")" + image
         + R"(","pullPolicy":"Never","network":"none"}})";
}

std::string user_json(const std::string& comment) {
  return R"({"kind":"User","name":"u","spec":{"user":"state-u","system":true,"comment":")" + comment
         + R"("}})";
}

/// "True DiskFull", "False Durable", "absent".
std::string condition_of(const agent_status& s, const std::string& type) {
  const auto it = std::find_if(s.conditions.begin(), s.conditions.end(),
                               [&](const condition& c) { return c.type == type; });
  if (it == s.conditions.end())
    return "absent";
  return (it->status == condition_state::true_ ? "True " : "False ") + it->reason;
}

/// A small disk of its own for a state folder.
struct small_disk {
  explicit small_disk(const std::string& options) {
    fs::create_directories(folder);
    run_tool({"mount", "-t", "tmpfs", "-o", options + ",mode=0700", "tmpfs", folder});
  }
  ~small_disk() { shell("umount -l " + folder); }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  const std::string folder = "/srv/harmony-small-disk";
};

} // namespace

TEST_CASE("state: no network at the start -> the last accepted manifest is in force") {
  nats_server server;
  const temp_dir site;
  agent_process agent{program, {"--podman", "off", "--systemd", "off"}, server.url()};
  agent.start();
  agent.apply(file_json(site / "a", "1"));
  REQUIRE(agent.converged());
  REQUIRE(agent.stop() == 0);
  server.kill();
  fs::remove(site / "a");
  agent.start();
  CHECK(agent.logged("resource 'File/a' is Ready"));
  CHECK(read_file(site / "a") == "1");
}

TEST_CASE("state: a corrupt database -> set aside and said; what is there is taken back, unmoved") {
  run_tool({"systemctl", "start", "podman.socket"});
  run_tool({"podman", "version"}); // its storage is set up
  const std::string image = "localhost/harmony-state:1";
  build_test_image(image);
  const temp_dir site;
  const auto state = site / "state";
  agent_process agent{program, {"--state-dir", state.string()}};
  agent.start();
  const auto kept = unit_json("keep") + "," + container_json("state-keep", image);
  agent.apply(kept + "," + unit_json("gone") + "," + container_json("state-gone", image) + ","
              + file_json(site / "a", "1") + "," + file_json(site / "gone", "1") + ","
              + user_json("1"));
  REQUIRE(agent.converged());
  const auto runs = [] {
    return shell("systemctl show -P InvocationID state-keep.service")
           + shell("podman inspect --format '{{.Id}} {{.State.Pid}}' harmony-state-keep");
  };
  const auto before = runs();
  agent.kill();
  fs::remove(state / "state.db-wal");
  fs::remove(state / "state.db-shm");
  write_file(state / "state.db", std::string(8192, 'x'));

  agent.apply(kept + "," + file_json(site / "a", "1") + "," + user_json("1"));
  agent.start();
  REQUIRE(agent.converged());
  CHECK(condition_of(agent.status(), "StateRebuilt") == "True DatabaseUnusable");
  CHECK(fs::exists(state / "state.db.corrupt-1"));
  CHECK(runs() == before);
  // What bears its mark and is in no manifest is found by a look of its own.
  agent.await([](const agent_status& s) { return s.resources.size() == 4; });
  agent.await([](const agent_status&) {
    return !fs::exists("/etc/systemd/system/state-gone.service")
           && shell("podman ps -aq --filter name=harmony-state-gone").empty();
  });
  CHECK_FALSE(fs::exists("/etc/systemd/system/state-gone.service"));
  CHECK(shell("podman ps -aq --filter name=harmony-state-gone").empty());
  CHECK(read_file(site / "gone") == "1"); // nothing says whose it is

  agent.apply(kept + "," + file_json(site / "a", "2") + "," + user_json("2"));
  CHECK(agent.converged());
  CHECK(read_file(site / "a") == "2");
  REQUIRE(agent.stop() == 0);
  agent.start(); // and the next start has nothing to put right
  agent.apply("");
  CHECK(agent.converged());
  CHECK(condition_of(agent.status(), "StateRebuilt") == "absent");
  CHECK_FALSE(fs::exists("/etc/systemd/system/state-keep.service"));
  CHECK(shell("podman ps -aq --filter name=harmony-state-keep").empty());
  shell("userdel state-u");
}

TEST_CASE(
  "state: a disk that is read-only at the start -> runs on from what it holds, and says so") {
  const small_disk disk{"size=4m"};
  const temp_dir site;
  agent_process agent{program, {"--podman", "off", "--systemd", "off", "--state-dir", disk.folder}};
  agent.start();
  agent.apply(file_json(site / "a", "1") + "," + file_json(site / "b", "1"));
  REQUIRE(agent.converged());
  SECTION("after an orderly end") {
    REQUIRE(agent.stop() == 0);
  }
  SECTION("after a crash") {
    agent.kill();
  }
  run_tool({"mount", "-o", "remount,ro", disk.folder});
  write_file(site / "a", "edited");
  agent.start();
  CHECK(agent.logged("state cannot be kept on disk"));
  REQUIRE(agent
            .await([&](const agent_status& s) {
              return condition_of(s, "StateDegraded") == "True ReadOnlyFileSystem"
                     && s.phase == agent_phase::converged && read_file(site / "a") == "1";
            })
            .phase
          == agent_phase::converged);
  CHECK(read_file(site / "a") == "1");
  agent.apply(file_json(site / "a", "2"));
  CHECK(agent.converged());
  CHECK_FALSE(fs::exists(site / "b")); // it knows what it owns
  CHECK(agent.stop() == 0);
}

TEST_CASE(
  "state: the disk fills -> DiskFull where a record is missing, the rest runs; then heals") {
  const small_disk disk{"size=1m"};
  const temp_dir site;
  agent_process agent{program,
                      {"--podman", "off", "--state-dir", disk.folder, "--poll-interval", "1s"}};
  agent.start();
  agent.apply(file_json(site / "a", "1") + "," + unit_json("full"));
  REQUIRE(agent.converged());
  const auto run = shell("systemctl show -P InvocationID state-full.service");
  shell("dd if=/dev/zero of=" + disk.folder + "/filler bs=4k 2>/dev/null");
  agent.apply(file_json(site / "a", "1") + "," + unit_json("full") + ","
              + file_json(site / "b", std::string(20000, 'b')));
  CHECK(agent.await_standing("File/b", "Failed DiskFull") == "Failed DiskFull");
  CHECK(condition_of(agent.status(), "StateDegraded") == "True DiskFull");
  CHECK_FALSE(fs::exists(site / "b"));
  CHECK(agent.standing("SystemdUnit/full") == "Ready");
  CHECK(agent.await_beats(5));
  CHECK(shell("systemctl show -P InvocationID state-full.service") == run);

  fs::remove(fs::path{disk.folder} / "filler");
  CHECK(agent.converged());
  CHECK(condition_of(agent.status(), "StateDegraded") == "False Durable");
  const auto generation = [&] {
    const auto copy = state_store::in_memory_from(disk.folder)->accepted();
    return copy && *copy ? (*copy)->generation : 0;
  };
  for (int i = 0; i < 200 && generation() != 2; ++i)
    REQUIRE_FALSE(agent.ended(std::chrono::milliseconds{50}));
  CHECK(generation() == 2); // the manifest that could not be kept is kept now
  agent.apply("");
  CHECK(agent.converged());
}

} // namespace harmony::test
