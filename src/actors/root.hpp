#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/actors.hpp"
#include "actors/command_server.hpp"
#include "actors/executor.hpp"
#include "actors/heartbeat.hpp"
#include "actors/lane.hpp"
#include "actors/manifest_watcher.hpp"
#include "actors/observer.hpp"
#include "actors/status_aggregator.hpp"
#include "actors/supervisor.hpp"
#include "state/flight_record.hpp"

namespace harmony {

/// One runtime of the device: its lane and its observer.
struct runtime_config {
  std::string name; ///< for logs
  std::shared_ptr<executor> workers;
  std::shared_ptr<runtime_monitor>
    monitor; ///< null: nothing is observed but after the agent's own actions
  lane_limits limits;
  std::shared_ptr<lane_counters> counters = std::make_shared<lane_counters>();
};

/// The whole agent. What the pointers name outlives the actor system.
struct agent_config {
  std::string id;
  std::string boot_id; ///< 16 hexadecimal digits, new at each start
  store* link = nullptr;
  state_store* state = nullptr;
  flight_record* flight = nullptr; ///< null: no loop breaker
  trust_policy trust;              ///< whose manifests are taken
  std::shared_ptr<const driver_registry> drivers;
  std::map<runtime_kind, runtime_config> runtimes;
  std::shared_ptr<probe_port> probes;
  std::shared_ptr<executor> probe_workers; ///< run the probes' checks
  std::shared_ptr<executor> log_workers;   ///< read logs that somebody asks for
  command_access commands = command_access::all;
  std::string version;               ///< of the program
  audit_trail* audit = nullptr;      ///< outlives the actor system; null: none
  std::vector<condition> conditions; ///< known at the start
  duration heartbeat_interval = std::chrono::seconds{10};
  duration poll_interval = std::chrono::seconds{60};
  duration relist_interval = std::chrono::seconds{10};
  duration grace = std::chrono::seconds{10}; ///< for the whole shutdown
  operation_limits limits;
  backoff_policy backoff;
  std::uint64_t seed = 0;
  std::function<timestamp()> wall_clock;
  std::string facts; ///< the document of bucket device-info; empty: none
  std::function<void(const std::string& text)> keep_status; ///< each new status, for the device
  /// Each news of the store's connection, for the device.
  std::function<void(bool connected, const std::string& detail)> keep_connection;
  std::shared_ptr<heartbeat_counters> counters = std::make_shared<heartbeat_counters>();
  std::shared_ptr<status_counters> writes = std::make_shared<status_counters>();
  bool own_threads = true; ///< false in virtual time: everything on the scheduler
};

/// From the store's thread: what root passes on.
using root_actor = caf::typed_actor<
  /// To all that answer it.
  caf::reacts_to<roll_call>,
  /// To watcher, aggregator and heartbeat.
  caf::reacts_to<connection_changed>,
  /// To the watcher.
  caf::reacts_to<desired_hinted>,
  /// To the command server.
  caf::reacts_to<command_received>,
  /// To the heartbeat.
  caf::reacts_to<interval_changed>,
  /// To the aggregator.
  caf::reacts_to<condition_changed>,
  /// Ends the agent in a named order: command_server, manifest_watcher, observers, dispatcher and
  /// supervisors, lanes, status_aggregator (a last write), heartbeat. Workloads keep running.
  caf::reacts_to<stop_requested>,
  /// Own timer: a stage of the shutdown took too long.
  caf::reacts_to<timer_due>>;

struct root_state {
  root_state() = default;

  static inline const char* name = "root";
  duration stage_grace{};
  std::vector<lane_actor> lanes;
  std::vector<observer_actor> observers;
  manifest_watcher_actor watcher;
  dispatcher_actor dispatcher;
  status_aggregator_actor aggregator;
  heartbeat_actor heartbeat;
  command_server_actor commands; ///< null: commands are off
  std::unique_ptr<subscription> hints;
  std::unique_ptr<subscription> serving;

  /// The stages of the shutdown still to come, last first; each is what it stops.
  std::vector<std::vector<caf::strong_actor_ptr>> stages;
  std::vector<caf::actor_addr> waiting; ///< of the present stage
  bool stopping = false;
  std::uint64_t timer_epoch = 0;
};

root_actor::behavior_type root(root_actor::stateful_pointer<root_state> self,
                               const agent_config& config);

} // namespace harmony
