#pragma once

#include <memory>
#include <string>

#include "actors/actors.hpp"
#include "core/probing.hpp"

namespace harmony {

/// Probes one resource while it is in place; spawned and ended by its supervisor.
struct prober_config {
  std::string resource; ///< its id, for the lane
  probe_set probes;
  probe_subject subject;
  std::shared_ptr<probe_port> checks;
  lane_actor lane;
  supervisor_actor supervisor;
  std::uint64_t run = 0; ///< which start of the probes this is
};

/// The shell of the probing machine.
struct prober_state {
  prober_state() = default;

  static inline const char* name = "prober";
  prober_config config;
  probing machine;
};

prober_actor::behavior_type prober(prober_actor::stateful_pointer<prober_state> self,
                                   prober_config config);

} // namespace harmony
