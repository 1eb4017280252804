#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "actors/actors.hpp"
#include "core/alarm.hpp"
#include "core/lifecycle.hpp"
#include "reconcilers/hold_memory.hpp"
#include "reconcilers/operation_log.hpp"
#include "reconcilers/registry.hpp"
#include "reconcilers/retry_memory.hpp"
#include "topology/probe_port.hpp"

namespace harmony {

/// How long one operation may take before it is given up and made again.
struct operation_limits {
  duration observe = std::chrono::seconds{15};
  duration apply = std::chrono::minutes{10}; ///< pulls and downloads among them
  duration remove = std::chrono::minutes{2};
  duration fetch = std::chrono::minutes{2}; ///< ahead of a change; an apply tries again
};

/// What all supervisors of an agent share.
struct supervisor_services {
  std::string agent;
  std::shared_ptr<const driver_registry> drivers;
  std::map<runtime_kind, lane_actor> lanes;
  lane_actor probe_lane;
  std::shared_ptr<probe_port> probes;
  inventory* owned = nullptr;      ///< outlives every actor
  retry_memory* retries = nullptr; ///< outlives every actor
  hold_memory* holds = nullptr;    ///< outlives every actor
  operation_log* log = nullptr;    ///< null: none is kept; outlives every actor
  operation_limits limits;
  backoff_policy backoff;
  std::uint64_t seed = 0; ///< of the retry jitter
  std::function<timestamp()> wall_clock;
};

struct supervisor_config {
  resource_id id;
  std::shared_ptr<const supervisor_services> services;
  dispatcher_actor dispatcher;
};

/// The shell of one resource's lifecycle machine: turns messages into events and performs the
/// effects.
struct supervisor_state {
  supervisor_state() = default;

  static inline const char* name = "supervisor";
  supervisor_config config;
  lifecycle machine;
  resource_ptr what; ///< null while only a removal is known
  std::string restart_stamp;
  std::string origin;
  bool retain = false;               ///< on removal, the thing stays
  alarm retry;                       ///< the machine's timer
  std::uint64_t retry_epoch = 0;     ///< its number
  std::optional<timestamp> retry_at; ///< its wall-clock time
  std::optional<resource_hold> hold; ///< that it is under
  instant hold_ends{};               ///< when that does
  alarm hold_end;
  std::optional<resource_hold> ended_hold;
  prober_actor prober;             ///< while the machine wants probes
  std::uint64_t probe_run = 0;     ///< counts the starts of the probes
  std::uint64_t probe_version = 0; ///< counts the changes of the declared probes
  resource_state seen;             ///< by the last look
  resource_reported reported;      ///< last told to the dispatcher
  std::minstd_rand random;
};

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self, supervisor_config config);

} // namespace harmony
