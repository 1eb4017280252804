#include "soak/run_delays.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace harmony::soak {

namespace {

namespace fs = std::filesystem;

const std::set<std::string> on_the_way{"caf.clock", "caf.actor", "harmony-agent"};

} // namespace

run_delays run_delays_of(pid_t pid) {
  run_delays out;
  std::error_code gone;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (on_the_way.count(name) == 0)
      continue;
    std::uint64_t ran = 0;
    std::uint64_t waited = 0;
    std::ifstream(task.path() / "schedstat") >> ran >> waited;
    out[{name, task.path().filename().string()}] = waited;
  }
  return out;
}

double waited(const run_delays& before, const run_delays& after) {
  std::map<std::string, std::uint64_t> most;
  for (const auto& [thread, ns] : after)
    if (const auto it = before.find(thread); it != before.end() && ns > it->second)
      most[thread.first] = std::max(most[thread.first], ns - it->second);
  double sum = 0;
  for (const auto& [name, ns] : most)
    sum += static_cast<double>(ns) / 1e6;
  return sum;
}

} // namespace harmony::soak
