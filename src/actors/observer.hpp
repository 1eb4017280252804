#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "actors/actors.hpp"
#include "core/alarm.hpp"
#include "topology/monitor.hpp"

namespace harmony {

/// PLEG: follows one runtime for all supervisors. Events are hints; a relist by one call is the
/// truth, and what differs between two relists makes its supervisor look.
struct observer_config {
  runtime_kind runtime = runtime_kind::files;
  std::string name; ///< for logs: "files", "systemd", …
  std::shared_ptr<runtime_monitor> monitor;
  lane_actor lane;
  dispatcher_actor dispatcher;
  duration relist_streaming = std::chrono::seconds{10}; ///< while events come
  duration relist_blind = std::chrono::seconds{1};      ///< while they do not
  duration relist_timeout = std::chrono::seconds{5};
  /// After its last target is gone: what was asked of the runtime before may come late.
  duration linger = std::chrono::minutes{1};
};

struct observer_state {
  observer_state() = default;
  observer_state(const observer_state&) = delete;
  observer_state& operator=(const observer_state&) = delete;
  ~observer_state();

  static inline const char* name = "observer";
  observer_config config;
  std::shared_ptr<const std::unordered_map<std::string, resource_id>> targets;
  std::unordered_map<std::string, std::string> fingerprints; ///< by target, of the last relist
  alarm next_relist;
  instant linger_until{}; ///< without a target it follows the runtime until then
  std::uint64_t operation = 0;
  bool relisting = false;
  bool relist_again = false;
  std::uint32_t blind = 0; ///< relists in a row that failed
};

observer_actor::behavior_type observer(observer_actor::stateful_pointer<observer_state> self,
                                       observer_config config);

} // namespace harmony
