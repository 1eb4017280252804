// One desired state at a time: how long until it is converged, beside the bare operations.

#include <filesystem>
#include <optional>

#include "bench.hpp"
#include "rows.hpp"
#include "support/nats_server.hpp"
#include "topology/podman_client.hpp"
#include "topology/systemd_files.hpp"
#include "topology/systemd_manager.hpp"

namespace harmony::bench {

namespace {

namespace fs = std::filesystem;
using test::agent_process;
using test::temp_dir;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// `pause`: before each sample. The manager goes on working after a job ended, and a machine that
/// was quiet takes longer to start anything.
void time_units(std::chrono::milliseconds pause, const std::string& when) {
  systemd_manager manager{systemd_config{}};
  const wait_limit limit{{}, clock::now() + 300s};
  spin([&] { return manager.list({"x.service"}, limit).ok(); }, "connecting to systemd");
  agent_process agent{program, {"--podman", "off"}};
  agent.start();
  settle(agent, "");
  samples bare, applied;
  for (int i = 0; i < runs; ++i) { // taken in turn, so that a busy machine slows both alike
    const auto unit = "bare-" + std::to_string(i) + ".service";
    std::this_thread::sleep_for(pause);
    bare.time([&] {
      need(write_unit_file(manager.unit_folder() / unit, sleeper, overwrite::no).ok(), "write");
      need(*manager.run(unit_job::start, unit, limit) == "done", "start");
    });
    std::this_thread::sleep_for(pause);
    time_apply(applied, agent, unit_json("unit-" + std::to_string(i)));
    settle(agent, "");
    need(*manager.run(unit_job::stop, unit, limit) == "done", "stop");
    need(remove_unit_file(manager.unit_folder() / unit).ok(), "removal");
  }
  print_row("bare unit: write, start, job" + when, bare, "-");
  print_row("apply of one SystemdUnit" + when, applied, "-");
  print_ratio("apply of one SystemdUnit" + when, applied, bare, "<= 1.5");
  agent.stop();
}

} // namespace

void start_row() {
  samples s;
  for (int i = 0; i < runs; ++i) {
    agent_process agent{program, files_only};
    s.time([&] {
      agent.start();
      spin([&] { return agent.link().last_beat("pi-1", 1000ms).value().has_value(); },
           "first heartbeat");
    });
    agent.stop();
  }
  print_row("exec until the first heartbeat", s, "<= 50 ms");
}

void file_row() {
  for (const bool nats : {false, true}) {
    std::optional<test::nats_server> server;
    if (nats)
      server.emplace();
    temp_dir site;
    agent_process agent{program, files_only, nats ? server->url() : ""};
    agent.start();
    settle(agent, "");
    samples s;
    for (int i = 0; i < runs; ++i)
      time_apply(s, agent, file_json("a", (site / "a").string(), std::to_string(i)));
    print_row(nats ? "apply of one File (NATS)" : "apply of one File (directory)", s,
              nats ? "<= 30 ms" : "<= 25 ms");
    agent.stop();
  }
}

void unit_row() {
  time_units(100ms, ", 0.1 s after the one before");
  time_units(0ms, ", back to back");
}

void container_row() {
  podman_client podman{"/run/podman/podman.sock"};
  const call_limits limits{{}, clock::now() + 300s};
  agent_process agent{program, {"--systemd", "off"}};
  agent.start();
  settle(agent, "");
  samples bare, applied;
  container_spec spec;
  spec.image = image;
  spec.network = "none";
  for (int i = 0; i < runs; ++i) {
    const auto name = "bare-" + std::to_string(i);
    bare.time([&] {
      const auto id = podman.create(name, spec, {}, limits);
      need(id.ok() && podman.start(*id, limits).ok(), "create and start");
    });
    time_apply(applied, agent, container_json("app-" + std::to_string(i)));
    settle(agent, "");
    need(podman.remove(name, 0s, limits).ok(), "removal of the bare one");
  }
  print_row("bare container: create, start", bare, "-");
  print_row("apply of one Container, image present", applied, "-");
  print_ratio("apply of one Container", applied, bare, "<= 1.25");
  agent.stop();
}

void many_row() {
  constexpr int count = 500;
  samples bare, first, again;
  for (int i = 0; i < 11; ++i) {
    temp_dir site;
    bare.time([&] {
      for (int k = 0; k < count; ++k)
        need(write_unit_file(site / ("b" + std::to_string(k)), std::string(200, 'x'), overwrite::no)
               .ok(),
             "bare write");
    });
    std::vector<std::string> all;
    all.reserve(count);
    for (int k = 0; k < count; ++k)
      all.push_back(file_json("f" + std::to_string(k), (site / ("f" + std::to_string(k))).string(),
                              std::string(200, 'x')));
    agent_process agent{program, files_only};
    agent.start();
    settle(agent, "");
    time_apply(first, agent, list(all));
    const auto written = fs::last_write_time(site / "f0");
    time_apply(again, agent, list(all));
    need(fs::last_write_time(site / "f0") == written, "leaving the files alone");
    agent.stop();
  }
  print_row("500 bare writes, one after another, with fsync", bare, "-");
  print_row("500 Files: apply until converged", first, "<= 1000 ms");
  print_row("500 Files: the same again, unchanged", again, "<= 50 ms, no write");
}

} // namespace harmony::bench
