// What an agent costs that has nothing to do.

#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>

#include "bench.hpp"
#include "full_device.hpp"
#include "rows.hpp"
#include "support/nats_server.hpp"

namespace harmony::bench {

namespace {

namespace fs = std::filesystem;
using test::agent_process;
using test::temp_dir;
using namespace std::chrono_literals;

/// A sum of /proc/PID/smaps_rollup, in KiB.
double rollup(pid_t pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(key + ":", 0) == 0)
      return std::stod(line.substr(key.size() + 1));
  give_up("no " + key + " of the agent");
}

/// CPU time that a process used, threads that have left included, in milliseconds.
double cpu_ms(pid_t pid) {
  clockid_t clock{};
  need(::clock_getcpuclockid(pid, &clock) == 0, "finding the CPU clock of the agent");
  timespec used{};
  need(::clock_gettime(clock, &used) == 0, "reading the CPU clock of the agent");
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

struct idle_targets {
  const char* pss;
  const char* dirty;
  const char* cpu;
};

/// An agent whose resources converged 10 s ago, over 60 s.
void idle(const std::string& of, const std::string& resources, const idle_targets& targets) {
  for (const bool nats : {false, true}) {
    std::optional<test::nats_server> server;
    if (nats)
      server.emplace();
    // The default heartbeat, not the short one of the tests.
    agent_process agent{program, {"--heartbeat-interval", "10s"}, nats ? server->url() : ""};
    agent.start();
    settle(agent, resources);
    std::this_thread::sleep_for(10s); // worker threads leave after five
    const auto before = cpu_ms(agent.pid());
    std::this_thread::sleep_for(60s);
    const auto used = cpu_ms(agent.pid()) - before;
    const auto what = "idle, " + of + (nats ? ", NATS: " : ", directory: ");
    samples pss, dirty, cpu, threads;
    pss.add(rollup(agent.pid(), "Pss") / 1024);
    dirty.add(rollup(agent.pid(), "Private_Dirty") / 1024);
    cpu.add(used / 60'000 * 100);
    threads.add(static_cast<double>(
      std::distance(fs::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/task"), {})));
    print_row(what + "PSS, MiB", pss, targets.pss);
    print_row(what + "private dirty, MiB", dirty, targets.dirty);
    print_row(what + "CPU, % of a core, over 60 s", cpu, targets.cpu);
    print_row(what + "threads", threads, "-");
    settle(agent, "");
    agent.stop();
  }
}

} // namespace

void idle_row() {
  temp_dir site;
  idle("20 resources", full_device{site.path(), {10, 8, 2}}.json(), {"<= 10", "<= 4", "<= 0.1"});
}

void idle_full_row() {
  temp_dir site;
  idle("200 files, 200 units, 50 containers", full_device{site.path(), {200, 200, 50}}.json(),
       {"<= 20", "-", "<= 0.5"});
}

} // namespace harmony::bench
