#include "soak/bed.hpp"

#include <cstdio>
#include <fstream>

namespace harmony::soak {

namespace {

using namespace std::chrono_literals;

// A hundred times as often as by default: as many chances to be late, or to leak.
constexpr auto period = 100ms;

/// Lets jobs run.
std::string permitting(const std::filesystem::path& config) {
  std::filesystem::create_directories(config.parent_path());
  std::ofstream{config} << "[policy]\nshell-jobs = true\n";
  return config.string();
}

} // namespace

bed::bed(const options& given)
  : chance(given.seed),
    agent(HARMONY_AGENT,
          {"--config", permitting("/srv/harmony-soak/agent.toml"), "--state-dir",
           "/srv/harmony-soak/state", "--log-level", "info"},
          server.url()),
    beats(server.url(), period),
    desire("/srv/harmony-soak"),
    log_(given.report + ".log") {
  std::filesystem::remove(log_);
  std::filesystem::create_directories(desire.site());
  std::filesystem::create_directories(desire.jobs());
  beats.agent_goes();
  start_agent();
}

std::string bed::manifest() const {
  return R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
         R"("generation":)"
         + std::to_string(generation) + R"(},"spec":{"resources":[)" + desire.resources() + "]}}";
}

void bed::apply() {
  ++generation;
  agent.put_desired(manifest());
}

outcome<std::string> bed::request(command_verb verb, const std::string& payload) {
  return agent.link().request("pi-1", name_of(verb), payload, 5000ms);
}

void bed::note(command_verb verb, std::string_view refusal) {
  found.count("command " + std::string{name_of(verb)}
              + (refusal.empty() ? "" : ": " + std::string{refusal}));
}

void bed::start_agent() {
  agent.start();
  agent_started_ = steady::now();
  lives.emplace_back();
  beats.agent_is_back(agent.pid());
}

void bed::end_agent(bool orderly) {
  beats.agent_goes();
  if (!orderly)
    agent.kill();
  else if (const int code = agent.stop(); code != 0)
    found.violation("the agent ended with " + std::to_string(code) + " on SIGTERM");
  std::ofstream(log_, std::ios::app) << agent.log();
}

void bed::sample() {
  const std::chrono::duration<double, std::ratio<60>> age = steady::now() - agent_started_;
  lives.back().samples.push_back(figures_of(agent.pid(), age.count()));
}

void bed::tell() {
  if (found.minutes() < told_ + 1)
    return;
  told_ += 1;
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  found.load(load);
  const auto now = figures_of(agent.pid(), 0);
  std::printf("minute %2.0f: %5zu operations, %3zu rests, generation %llu, PSS %.2f MiB, %d "
              "descriptors, %d threads, longest gap %.0f ms, load %.1f, %zu violations\n",
              told_, found.operations(), found.rests(), static_cast<unsigned long long>(generation),
              now.pss_kib / 1024, now.descriptors, now.threads, beats.worst_since(), load,
              found.violations());
  std::fflush(stdout);
}

} // namespace harmony::soak
