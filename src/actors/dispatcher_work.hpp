#pragma once

// Work that the dispatcher gives to lanes.

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "actors/messages.hpp"
#include "actors/supervisor.hpp"

namespace harmony {

/// Work that fetches what `want` will need.
operation_work fetch_ahead(std::shared_ptr<const supervisor_services> services, driver& of_kind,
                           desired<resource_spec> want);

using target_set = std::set<std::pair<resource_id, std::string>>;

/// What a driver finds of the agent's own on the device: `driver::marked` or `driver::strays`.
using search_for = outcome<std::vector<owned_target>> (driver::*)(op_context&);

/// Work that takes back what `search` finds and is on no record. Not what is in `named`: the
/// supervisors of those know better how they stand.
operation_work take_back(std::shared_ptr<const supervisor_services> services,
                         std::shared_ptr<driver> driver, search_for search,
                         std::shared_ptr<const target_set> named);

} // namespace harmony
