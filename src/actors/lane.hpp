#pragma once

#include <map>
#include <memory>
#include <stop_token>

#include "actors/actors.hpp"
#include "actors/counters.hpp"
#include "actors/executor.hpp"
#include "core/alarm.hpp"
#include "core/lane.hpp"

namespace harmony {

/// A runtime's lane: its blocking operations, so many at once, each with a deadline and a stop
/// token, so that a stuck one holds its own thread and nothing else.
struct lane_config {
  std::string name; ///< for logs: "files", "systemd", …
  std::shared_ptr<executor> workers;
  lane_limits limits;
  duration cancel_grace = std::chrono::seconds{5}; ///< a canceled operation is given up after it
  std::shared_ptr<lane_counters> counters = std::make_shared<lane_counters>();
};

/// The state of a lane; decisions are lane_schedule's.
struct lane_state {
  struct entry {
    run_operation what;
    std::stop_source stop;
    bool answered = false;
  };

  lane_state() = default;

  static inline const char* name = "lane";
  lane_config config;
  lane_schedule schedule;
  std::map<lane_schedule::ticket, entry> entries;
  lane_schedule::ticket newest = 0;
  alarm wake;
  bool stopping = false;
};

lane_actor::behavior_type lane(lane_actor::stateful_pointer<lane_state> self, lane_config config);

} // namespace harmony
