#include "topology/cluster_monitor.hpp"

namespace harmony {

void cluster_monitor::start(on_hint sink) {
  runtime_->on_change([this, sink = std::move(sink)](const std::string& cluster) {
    {
      const std::lock_guard guard{mutex_};
      if (targets_.count(cluster) == 0)
        return;
    }
    sink(cluster);
  });
}

void cluster_monitor::watch(std::vector<std::string> targets) {
  const std::lock_guard guard{mutex_};
  targets_ = {targets.begin(), targets.end()};
}

outcome<std::vector<runtime_fact>> cluster_monitor::relist(std::chrono::milliseconds timeout) {
  std::set<std::string> targets;
  {
    const std::lock_guard guard{mutex_};
    targets = targets_;
  }
  return listing_.run(
    [runtime = runtime_, targets = std::move(targets)]() -> outcome<std::vector<runtime_fact>> {
      std::vector<runtime_fact> facts;
      for (const auto& each : targets) {
        const auto seen = runtime->look(each);
        if (!seen)
          return seen.error();
        facts.push_back(
          {each, !seen->runs ? std::string{}
                             : seen->role + (seen->well ? " well " : " not well ") + seen->detail});
      }
      return facts;
    },
    timeout);
}

} // namespace harmony
