// What somebody does behind the agent's back: how long until it is noticed, and put right.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <sstream>

#include "bench.hpp"
#include "blind_device.hpp"
#include "full_device.hpp"
#include "rows.hpp"
#include "support/nats_server.hpp"
#include "topology/podman_client.hpp"

namespace harmony::bench {

namespace {

using test::agent_process;
using test::temp_dir;
using namespace std::chrono_literals;
using wall = std::chrono::system_clock;

/// One thing to be done to one resource.
struct mishap {
  resource_id to;
  std::function<void()> happen;
};

void kill_process(const std::string& pid) {
  need(::kill(static_cast<pid_t>(std::stol(pid)), SIGKILL) == 0, "killing process " + pid);
}

std::string main_process_of(const std::string& unit) {
  return test::read_file("/sys/fs/cgroup/system.slice/" + unit + ".service/cgroup.procs");
}

/// A file is edited, a unit's and a container's process are killed; each resource once, because
/// repairs soon after another of the same one back off.
std::vector<mishap> mishaps_of(const full_device& device) {
  std::vector<mishap> all;
  const auto [files, units, containers] = device.how_many();
  all.reserve(device.size());
  for (int i = 0; i < files; ++i)
    all.push_back({id_of("File/" + full_device::name(i)),
                   [path = device.path(i)] { test::write_file(path, "edited"); }});
  for (int i = 0; i < units; ++i)
    all.push_back({id_of("SystemdUnit/" + full_device::name(i)),
                   [pid = main_process_of(full_device::name(i))] { kill_process(pid); }});
  podman_client podman{"/run/podman/podman.sock"};
  for (int i = 0; i < containers; ++i) {
    const auto info = podman.inspect("harmony-" + full_device::name(i),
                                     {{}, std::chrono::steady_clock::now() + 30s});
    need(info.ok() && info->has_value(), "inspecting " + full_device::name(i));
    all.push_back({id_of("Container/" + full_device::name(i)),
                   [pid = std::to_string((*info)->pid)] { kill_process(pid); }});
  }
  return all;
}

/// When the agent began each repair, by its log, whose times have a resolution of 1 ms.
std::map<std::string, wall::time_point> repairs_in(const std::string& log) {
  std::map<std::string, wall::time_point> result;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    const auto subject = line.find("resource '");
    const auto verb = line.find("' is Applying, Drifted");
    if (subject == std::string::npos || verb == std::string::npos)
      continue;
    const auto at = parse_time(line.substr(0, line.find(' ')));
    need(at.has_value(), "reading the time of '" + line + "'");
    const auto name = subject + std::string_view{"resource '"}.size();
    result.try_emplace(line.substr(name, verb - name), *at);
  }
  return result;
}

void await_repair(agent_process& agent, const resource_id& of) {
  const auto is_repaired = [&](const agent_status& s) {
    const auto it = s.resources.find(of);
    return it != s.resources.end() && it->second.restarts > 0
           && it->second.phase == resource_phase::ready;
  };
  need(is_repaired(agent.await(is_repaired)), "repair of '" + of.str() + "'");
}

/// `pause`: the longest time between a repair and the next mishap. Drawn, so that mishaps do not
/// keep step with the relists.
void measure(const std::string& program_to_run, const full_device::counts& counts,
             std::chrono::milliseconds pause, const std::string& when, const std::string& target) {
  temp_dir site;
  test::nats_server server; // the folder would need inotify
  const full_device device{site.path(), counts};
  agent_process agent{program_to_run, {}, server.url()};
  agent.start();
  settle(agent, device.json());
  std::minstd_rand random{1}; // NOLINT: the same pauses in each run
  std::uniform_int_distribution<std::chrono::milliseconds::rep> draw{0, pause.count()};
  auto mishaps = mishaps_of(device);
  std::shuffle(mishaps.begin(), mishaps.end(), random);
  std::map<resource_id, wall::time_point> happened;
  for (const auto& each : mishaps) {
    std::this_thread::sleep_for(std::chrono::milliseconds{draw(random)});
    happened[each.to] = wall::now();
    each.happen();
    await_repair(agent, each.to);
  }
  settle(agent, "");
  agent.stop();
  const auto begun = repairs_in(agent.log());
  std::map<std::string, samples> by_kind;
  for (const auto& [id, at] : happened) {
    const auto it = begun.find(id.str());
    need(it != begun.end(), "finding the repair of '" + id.str() + "' in the log");
    by_kind[id.kind].add(ms_between(at, it->second));
  }
  for (const auto& [kind, s] : by_kind)
    print_row("drift of one " + std::string{kind}.append(" until its repair starts").append(when),
              s, "99 %: " + target);
}

} // namespace

void drift_row() {
  temp_dir site;
  const auto path = site / "a";
  samples edits, kills;
  for (int i = 0; i < 11; ++i) { // an agent each: repairs soon after another back off
    agent_process agent{program, {"--podman", "off"}};
    agent.start();
    settle(agent, file_json("a", path.string(), "declared") + "," + unit_json("drift"));
    test::write_file(path, "edited");
    edits.time([&] { spin([&] { return test::read_file(path) == "declared"; }, "healing"); });
    sh("systemctl kill --signal=KILL drift.service");
    kills.time([&] {
      spin([] { return std::system("systemctl is-active --quiet drift.service") == 0; }, "healing");
    });
    settle(agent, "");
    agent.stop();
  }
  print_row("drift: file edited until healed", edits, "<= 250 ms");
  print_row("drift: unit killed until it runs again", kills, "<= 250 ms");
}

void drift_any_row() {
  measure(program, {200, 200, 50}, 20ms, " (1 of 450)", "<= 150 ms");
}

void drift_lost_row() {
  const blind_device blind;
  measure(blind.without_inotify(program), {100, 100, 50}, 1000ms, ", events lost (1 of 250)",
          "<= 1500 ms");
}

} // namespace harmony::bench
