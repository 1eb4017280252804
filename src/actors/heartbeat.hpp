#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "actors/actors.hpp"
#include "transport/store.hpp"

namespace harmony {

/// Counts for whoever watches over the heartbeat: the watchdog and the benchmarks.
struct heartbeat_counters {
  std::atomic<std::uint64_t> ticks{0}; ///< the actor is alive
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> failed{0};
};

/// Says "I live" at a fixed rate, whatever else happens: a thread, a timer and a publish path of
/// its own.
struct heartbeat_config {
  std::string agent;
  std::string boot_id;
  store* link = nullptr; ///< outlives the actor
  duration interval = std::chrono::seconds{10};
  std::shared_ptr<heartbeat_counters> counters = std::make_shared<heartbeat_counters>();
};

struct heartbeat_state {
  heartbeat_state() = default;

  static inline const char* name = "heartbeat";
  heartbeat_config config;
  heartbeat next;
  instant due{};
  std::uint64_t timer_epoch = 0;
};

heartbeat_actor::behavior_type
heartbeat_sender(heartbeat_actor::stateful_pointer<heartbeat_state> self, heartbeat_config config);

} // namespace harmony
