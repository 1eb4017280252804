// What the agent costs, measured on its own binary inside a disposable device: see
// docs/benchmarks.md. `scripts/bench` runs it.
//
//   agent_bench [NAME…]     NAME: start, idle, file, unit, container, drift, many; all by default

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "samples.hpp"
#include "support/agent_process.hpp"
#include "support/nats_server.hpp"
#include "support/test_image.hpp"
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

const std::string program = HARMONY_AGENT;
const std::string image = "localhost/harmony-bench:1";
const std::string no_runtimes[] = {"--systemd", "off", "--podman", "off"};
constexpr int runs = 21;

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "agent_bench: " << why << "\n";
  std::exit(1);
}

void need(bool holds, const std::string& what) {
  if (!holds)
    give_up(what + " failed");
}

void sh(const std::string& command) {
  need(std::system(command.c_str()) == 0, command);
}

std::string text_of(const std::string& s) {
  std::string out;
  for (const char c : s)
    out += c == '\n' ? std::string{"\\n"} : std::string(1, c);
  return out;
}

std::string file_json(const std::string& name, const std::string& path,
                      const std::string& content) {
  return R"({"kind":"File","name":")" + name + R"(","spec":{"path":")" + path + R"(","content":")"
         + content + R"("}})";
}

const std::string sleeper = "[Service]\nExecStart=/bin/sleep infinity\n";

std::string unit_json(const std::string& name) {
  return R"({"kind":"SystemdUnit","name":")" + name + R"(","spec":{"unit":")" + name
         + R"(.service","content":")" + text_of(sleeper) + R"("}})";
}

std::string container_json(const std::string& name) {
  return R"({"kind":"Container","name":")" + name + R"(","spec":{"image":")" + image
         + R"(","pullPolicy":"Never","network":"none"}})";
}

std::string list(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& each : all)
    out += (out.empty() ? "" : ",") + each;
  return out;
}

/// Waits until the agent converged; otherwise ends with what is not ready.
void converge(agent_process& agent) {
  if (agent.converged())
    return;
  const auto status = agent.status();
  std::string stuck = " it is " + std::string{name_of(status.phase)} + " at generation "
                      + std::to_string(status.observed_generation);
  for (const auto& c : status.conditions)
    stuck += "\n  " + c.type + " " + c.reason + ": " + c.message;
  for (const auto& [id, r] : status.resources)
    if (r.phase != resource_phase::ready)
      stuck +=
        "\n  " + id.str() + " " + std::string{name_of(r.phase)} + " " + r.reason + ": " + r.message;
  give_up("the agent did not converge:" + stuck);
}

/// Time from the write of a desired state until Converged at its generation can be read.
void time_apply(samples& s, agent_process& agent, const std::string& resources) {
  s.time([&] {
    agent.apply(resources);
    converge(agent);
  });
}

/// Waits for a condition that nothing signals.
template <class Predicate>
void spin(Predicate holds, const std::string& what) {
  const auto end = clock::now() + 20s;
  while (!holds()) {
    need(clock::now() < end, what);
    std::this_thread::sleep_for(200us);
  }
}

// --- the rows
// -------------------------------------------------------------------------------------

void start_row() {
  samples s;
  for (int i = 0; i < runs; ++i) {
    agent_process agent{program, {std::begin(no_runtimes), std::end(no_runtimes)}};
    s.time([&] {
      agent.start();
      spin([&] { return agent.link().last_beat("pi-1", 1000ms).value().has_value(); },
           "first heartbeat");
    });
    agent.stop();
  }
  print_row("exec until the first heartbeat", s, "<= 50 ms");
}

/// A sum of /proc/PID/smaps_rollup, in KiB.
double rollup(pid_t pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key + ":", 0) == 0)
      return std::stod(line.substr(key.size() + 1));
  give_up("no " + key + " of the agent");
}

/// CPU time that a process used, in milliseconds.
double cpu_ms(pid_t pid) {
  double nanoseconds = 0; // schedstat is a thread's: the sum over all
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream one(task.path() / "schedstat");
    double ns = 0;
    one >> ns;
    nanoseconds += ns;
  }
  return nanoseconds / 1e6;
}

void idle_row() {
  temp_dir site;
  std::vector<std::string> all;
  all.reserve(20);
  for (int i = 0; i < 10; ++i)
    all.push_back(
      file_json("f" + std::to_string(i), (site / ("f" + std::to_string(i))).string(), "x"));
  for (int i = 0; i < 8; ++i)
    all.push_back(unit_json("idle-" + std::to_string(i)));
  for (int i = 0; i < 2; ++i)
    all.push_back(container_json("idle-" + std::to_string(i)));
  for (const bool nats : {false, true}) {
    std::optional<test::nats_server> server;
    if (nats)
      server.emplace();
    // The default heartbeat, not the short one of the tests.
    agent_process agent{program, {"--heartbeat-interval", "10s"}, nats ? server->url() : ""};
    agent.start();
    agent.apply(list(all));
    converge(agent);
    std::this_thread::sleep_for(10s); // worker threads leave after five
    const auto before = cpu_ms(agent.pid());
    std::this_thread::sleep_for(60s);
    const auto used = cpu_ms(agent.pid()) - before;
    const std::string over = nats ? " (NATS)" : " (directory)";
    samples pss, dirty, cpu, threads;
    pss.add(rollup(agent.pid(), "Pss") / 1024);
    dirty.add(rollup(agent.pid(), "Private_Dirty") / 1024);
    cpu.add(used / 60'000 * 100);
    threads.add(static_cast<double>(
      std::distance(fs::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/task"), {})));
    print_row("idle, 20 resources: PSS, MiB" + over, pss, "<= 10");
    print_row("idle, 20 resources: private dirty, MiB" + over, dirty, "<= 4");
    print_row("idle, 20 resources, 60 s: CPU, % of a core" + over, cpu, "<= 0.1");
    print_row("idle, 20 resources: threads" + over, threads, "-");
    agent.apply("");
    converge(agent);
    agent.stop();
  }
}

void file_row() {
  for (const bool nats : {false, true}) {
    std::optional<test::nats_server> server;
    if (nats)
      server.emplace();
    temp_dir site;
    agent_process agent{
      program, {std::begin(no_runtimes), std::end(no_runtimes)}, nats ? server->url() : ""};
    agent.start();
    agent.apply("");
    converge(agent);
    samples s;
    for (int i = 0; i < runs; ++i)
      time_apply(s, agent, file_json("a", (site / "a").string(), std::to_string(i)));
    print_row(nats ? "apply of one File (NATS)" : "apply of one File (directory)", s,
              nats ? "<= 30 ms" : "<= 25 ms");
    agent.stop();
  }
}

/// `pause`: before each sample. The manager goes on working after a job ended, and a machine that
/// was quiet takes longer to start anything.
void time_units(std::chrono::milliseconds pause, const std::string& when) {
  systemd_manager manager{systemd_config{}};
  const wait_limit limit{{}, clock::now() + 300s};
  spin([&] { return manager.list({"x.service"}, limit).ok(); }, "connecting to systemd");
  agent_process agent{program, {"--podman", "off"}};
  agent.start();
  agent.apply("");
  converge(agent);
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
    agent.apply("");
    converge(agent);
    need(*manager.run(unit_job::stop, unit, limit) == "done", "stop");
    need(remove_unit_file(manager.unit_folder() / unit).ok(), "removal");
  }
  print_row("bare unit: write, start, job" + when, bare, "-");
  print_row("apply of one SystemdUnit" + when, applied, "<= 1.5 x bare");
  std::printf("| ratio | %.2f | | | <= 1.5 |\n", applied.median() / bare.median());
  agent.stop();
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
  agent.apply("");
  converge(agent);
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
    agent.apply("");
    converge(agent);
    need(podman.remove(name, 0s, limits).ok(), "removal of the bare one");
  }
  print_row("bare container: create, start", bare, "-");
  print_row("apply of one Container, image present", applied, "<= 1.25 x bare");
  std::printf("| ratio | %.2f | | | <= 1.25 |\n", applied.median() / bare.median());
  agent.stop();
}

void drift_row() {
  temp_dir site;
  const auto path = site / "a";
  samples edits, kills;
  for (int i = 0; i < 11; ++i) { // an agent each: repairs soon after another back off
    agent_process agent{program, {"--podman", "off"}};
    agent.start();
    agent.apply(file_json("a", path.string(), "declared") + "," + unit_json("drift"));
    converge(agent);
    test::write_file(path, "edited");
    edits.time([&] { spin([&] { return test::read_file(path) == "declared"; }, "healing"); });
    sh("systemctl kill --signal=KILL drift.service");
    kills.time([&] {
      spin([] { return std::system("systemctl is-active --quiet drift.service") == 0; }, "healing");
    });
    agent.apply("");
    converge(agent);
    agent.stop();
  }
  print_row("drift: file edited until healed", edits, "<= 250 ms");
  print_row("drift: unit killed until it runs again", kills, "<= 250 ms");
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
    agent_process agent{program, {std::begin(no_runtimes), std::end(no_runtimes)}};
    agent.start();
    agent.apply("");
    converge(agent);
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

} // namespace

/// `device`: it needs systemd and podman, so it runs in a disposable device only.
struct row {
  const char* name;
  void (*measure)();
  bool device;
};

int run(const std::set<std::string>& names) {
  const std::vector<row> rows{{"start", start_row, false}, {"file", file_row, false},
                              {"unit", unit_row, true},    {"container", container_row, true},
                              {"drift", drift_row, true},  {"many", many_row, false},
                              {"idle", idle_row, true}};
  const auto wanted = [&](const row& r) { return names.empty() || names.count(r.name) != 0; };
  if (std::any_of(rows.begin(), rows.end(), [&](const row& r) { return r.device && wanted(r); })) {
    sh("systemctl start podman.socket");
    test::build_test_image(image);
  }
  std::puts("| what | median | 90 % | runs | target |\n|---|---|---|---|---|");
  for (const auto& r : rows)
    if (wanted(r))
      r.measure();
  return 0;
}

} // namespace harmony::bench

int main(int argc, char* argv[]) {
  try {
    return harmony::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "agent_bench: " << e.what() << "\n";
    return 1;
  }
}
