#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/status.hpp"

namespace harmony {

/// What the agent's phase is made of, one resource.
struct resource_standing {
  resource_phase phase = resource_phase::pending;
  bool current = false;  ///< it speaks of the present desire
  bool troubled = false; ///< failed, rejected, or on a retry of what failed
};

/// The agent's phase over its resources. `accepted`: a manifest is in force; `refused`: a newer
/// document was not accepted. Converged only if every resource is ready at its present desire.
agent_phase summarise(const std::vector<resource_standing>& resources, bool accepted, bool refused);

/// Sets or replaces the condition of `c.type`; its transition time moves only when its status does.
void set_condition(std::vector<condition>& conditions, condition c);

} // namespace harmony
