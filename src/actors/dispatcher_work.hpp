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

/// Work that takes back what bears the agent's mark and is on no record. Not what is in `named`:
/// the supervisors of those know better how they stand.
operation_work take_back_marked(std::shared_ptr<const supervisor_services> services,
                                std::shared_ptr<driver> driver,
                                std::shared_ptr<const target_set> named);

} // namespace harmony
