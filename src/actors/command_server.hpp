#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/actors.hpp"
#include "actors/supervisor.hpp"
#include "reconcilers/audit.hpp"

namespace harmony {

/// Which commands this device takes.
enum class command_access { all, read_only, off };

/// Answers operators: one request, one answer. What an answer needs is asked of those who know it;
/// what blocks goes to a lane.
struct command_server_config {
  std::shared_ptr<const supervisor_services> services;
  std::string boot_id;
  std::string version;
  command_access access = command_access::all;
  audit_trail* audit = nullptr; ///< outlives the actor; null: none
  dispatcher_actor dispatcher;
  manifest_watcher_actor watcher;
  status_aggregator_actor aggregator;
  lane_actor log_lane;
  duration ask_timeout = std::chrono::seconds{5};
};

struct command_server_state {
  command_server_state() = default;

  static inline const char* name = "command_server";
  command_server_config config;
  instant started{};
  std::uint64_t operations = 0;
  std::map<std::uint64_t, store_command>
    reading; ///< by the number of its operation on the log lane
};

command_server_actor::behavior_type
command_server(command_server_actor::stateful_pointer<command_server_state> self,
               command_server_config config);

/// Sends the answer of a command; one that cannot be sent is logged.
void answer(const store_command& to, const std::string& text);

} // namespace harmony
