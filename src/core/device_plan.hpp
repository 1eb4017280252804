#pragma once

#include <vector>

#include "core/change.hpp"
#include "model/commands.hpp"

namespace harmony {

/// What the device would do about resource `id`, whose look found `changes` (none: it equals its
/// declaration), and why.
planned_resource plan_for(const resource_id& id, const std::vector<change>& changes);

/// The same where it cannot be done, or not be seen.
planned_resource plan_blocked(const resource_id& id, const failure& why);

/// The same for what left the manifest; `retained`: it stays on the device.
planned_resource plan_leaving(const resource_id& id, bool retained);

} // namespace harmony
