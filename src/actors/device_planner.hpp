#pragma once

#include <memory>
#include <vector>

#include "actors/actors.hpp"
#include "actors/command_server.hpp"

namespace harmony {

/// Says what the device would do about a manifest that is not in force: looks at every resource of
/// it, asks its planner, changes nothing, and answers `command` when all looks are back.
struct device_planner_config {
  std::shared_ptr<const supervisor_services> services;
  manifest_ptr wanted;
  manifest_ptr in_force; ///< null: none
  store_command command;
};

struct device_planner_state {
  device_planner_state() = default;

  static inline const char* name = "device_planner";
  device_planner_config config;
  plan_result result;
  std::size_t open = 0; ///< looks that are not back
};

device_planner_actor::behavior_type
device_planner(device_planner_actor::stateful_pointer<device_planner_state> self,
               device_planner_config config);

} // namespace harmony
