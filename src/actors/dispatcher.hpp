#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/actors.hpp"
#include "actors/supervisor.hpp"
#include "core/components.hpp"
#include "core/graph.hpp"
#include "state/state_store.hpp"

namespace harmony {

/// Turns the manifest in force into a set of supervisors, one a resource.
struct dispatcher_config {
  std::shared_ptr<const supervisor_services> services;
  status_aggregator_actor aggregator;
  state_store* state = nullptr; ///< outlives the actor
};

/// One resource that the dispatcher knows: of the manifest, or on its way out.
struct dispatched {
  supervisor_actor supervisor;
  std::vector<resource_id> after; ///< its prerequisites: removed only when it is gone
  std::string target;             ///< the runtime's own name of it
  std::string desire;             ///< the present one; empty: rejected or leaving
  std::string told;               ///< the desire that its supervisor last heard of
  std::string reported;           ///< the desire that its supervisor last spoke of
  resource_phase phase = resource_phase::pending; ///< that it reported
  bool leaving = false;
  bool removal_sent = false;
  bool retain = false;    ///< when it leaves, the thing stays
  ev::dependencies needs; ///< last told to its supervisor

  /// Whether it has reached `c` at the present desire.
  [[nodiscard]] bool has_reached(dependency_condition c) const {
    return !leaving && !desire.empty() && reported == desire && reached(phase, c);
  }
};

struct dispatcher_state {
  dispatcher_state() = default;

  static inline const char* name = "dispatcher";
  dispatcher_config config;
  manifest_ptr current;
  resource_graph graph; ///< of `current`
  std::map<resource_id, dispatched> resources;
  std::map<runtime_kind, observer_actor> observers;

  /// What is being fetched, by the number of the operation. Nothing that hangs together with it is
  /// changed or removed before it is there, or could not be fetched.
  std::map<std::uint64_t, resource_id> fetching;
  bool folders_wait = false; ///< one that left does, for what is yet to leave it
  components neighbours;     ///< of the manifest in force and the one before it
  std::uint64_t fetches = 0;

  /// The searches for what bears the agent's mark, after its records were lost, by number.
  std::set<std::uint64_t> searches;
  bool searched = false;
};

dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self, dispatcher_config config);

} // namespace harmony
