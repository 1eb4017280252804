#pragma once

#include <atomic>
#include <cstdint>
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
  /// How often the manager read its unit files again, or enabled or disabled one, since this
  /// object is there.
  [[nodiscard]] std::uint64_t reloads_seen() const { return reloads_; }

private:
  std::atomic<std::uint64_t> reloads_ = 0;
  std::shared_ptr<systemd_loop> loop_;
  std::thread thread_;
};

} // namespace harmony::bench
