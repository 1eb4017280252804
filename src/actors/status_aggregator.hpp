#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "actors/actors.hpp"
#include "actors/counters.hpp"
#include "actors/status_key.hpp"
#include "actors/store_retries.hpp"
#include "core/alarm.hpp"
#include "core/summary.hpp"
#include "transport/store.hpp"

namespace harmony {

/// Keeps the newest standing of every resource and writes one status document by compare-and-set:
/// at once when the device settles, and at most every `progress_interval` on the way there. Looks
/// at the key after each connection and every `look_interval`, so that a status that the store
/// lost, or that another agent of the same id wrote over, is noticed.
struct status_aggregator_config {
  std::string agent;
  std::string boot_id;
  store* actual = nullptr; ///< outlives the actor
  heartbeat_actor heartbeat;
  std::function<timestamp()> wall_clock;
  std::vector<condition> conditions; ///< those known at the start, e.g. ManifestVerified
  /// Called with each new document before it goes to the store, also without a connection. May be
  /// empty.
  std::function<void(const std::string& text)> keep;
  /// Called with each news of the connection, for the device. May be empty.
  std::function<void(bool connected, const std::string& detail)> keep_connection;
  std::string facts; ///< the document of bucket device-info; empty: none
  duration progress_interval = std::chrono::milliseconds{200};
  duration look_interval = std::chrono::seconds{60}; ///< jittered by a quarter
  store_retries retries;
  /// Nearly half of it, which one attempt has, is more than two slow seconds each way.
  std::chrono::milliseconds call_timeout{10'000};
  std::uint64_t seed = 0;
  std::shared_ptr<status_counters> counters = std::make_shared<status_counters>();
};

/// A resource's standing and the desire that it speaks of.
struct known_standing {
  resource_standing standing;
  std::string desire;
};

struct status_aggregator_state {
  status_aggregator_state() = default;

  static inline const char* name = "status_aggregator";
  status_aggregator_config config;
  agent_status document;
  std::shared_ptr<const expectation> expected; ///< null before the first manifest
  std::map<resource_id, known_standing> standings;
  bool refused = false;
  bool searching = false; ///< there may be things of the agent's that are not known yet
  bool safe_mode = false; ///< the manifest is held back, and so nothing is known of its resources
  std::optional<generation_number> in_progress; ///< somebody waits to hear how it ends
  alarm progress_end;
  manifest_watcher_actor watcher;

  bool connected = false;
  bool facts_due = false;
  std::optional<status_key> key;
  agent_status kept; ///< as last kept on the device
  std::uint32_t failures = 0;
  unsigned steps = 0; ///< in a row, none of which was the last
  instant look_at{};  ///< when the key is looked at although nothing changed
  std::minstd_rand random;
  std::optional<instant> armed_at;
  std::uint64_t timer_epoch = 0;
  instant last_write{};
  standing_changed told; ///< to the heartbeat
};

status_aggregator_actor::behavior_type
status_aggregator(status_aggregator_actor::stateful_pointer<status_aggregator_state> self,
                  status_aggregator_config config);

} // namespace harmony
