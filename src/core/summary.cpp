#include "core/summary.hpp"

#include <algorithm>

namespace harmony {

agent_phase summarise(const std::vector<resource_standing>& resources, bool accepted,
                      bool refused) {
  if (refused)
    return agent_phase::rejected;
  if (!accepted)
    return agent_phase::starting;
  bool troubled = false;
  bool moving = false;
  for (const auto& r : resources) {
    if (r.troubled)
      troubled = true;
    else if (!r.current || (r.phase != resource_phase::ready && r.phase != resource_phase::blocked))
      moving = true;
  }
  if (moving)
    return agent_phase::converging;
  if (troubled)
    return agent_phase::degraded;
  const bool all_ready = std::all_of(resources.begin(), resources.end(), [](const auto& r) {
    return r.phase == resource_phase::ready;
  });
  return all_ready ? agent_phase::converged : agent_phase::converging;
}

void set_condition(std::vector<condition>& conditions, condition c) {
  const auto it = std::find_if(conditions.begin(), conditions.end(),
                               [&](const condition& each) { return each.type == c.type; });
  if (it == conditions.end()) {
    conditions.push_back(std::move(c));
    return;
  }
  if (it->status == c.status)
    c.last_transition = it->last_transition;
  *it = std::move(c);
}

} // namespace harmony
