#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "topology/systemd_loop.hpp"

namespace harmony::bench {

/// systemd itself, over one connection, with as little in between as can be: what the agent is
/// compared with.
class bare_jobs {
public:
  bare_jobs();
  ~bare_jobs();
  bare_jobs(const bare_jobs&) = delete;
  bare_jobs& operator=(const bare_jobs&) = delete;

  /// Issues the job ("StartUnit", "RestartUnit", "StopUnit") of all units at once and waits for
  /// their ends; gives up unless all are "done".
  void run(const char* method, const std::vector<std::string>& units);
  void reload();

private:
  std::shared_ptr<systemd_loop> loop_;
  std::thread thread_;
};

} // namespace harmony::bench
