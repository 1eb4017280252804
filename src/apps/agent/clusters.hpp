#pragma once

#include <memory>

#include "apps/agent/options.hpp"
#include "failover/host.hpp"
#include "reconcilers/audit.hpp"

namespace harmony {

/// What runs this device's members of PostgreSQL clusters; each with its own connection to the
/// store of `options`. Fails with capability_missing where that is not NATS.
outcome<std::unique_ptr<failover::host>> make_clusters(const agent_options& options,
                                                       std::shared_ptr<audit_trail> audit);

} // namespace harmony
