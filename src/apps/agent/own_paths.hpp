#pragma once

#include <memory>

#include "apps/agent/options.hpp"
#include "reconcilers/guarded_driver.hpp"

namespace harmony {

/// What is the own of an agent with these options, by every name it has on this device now.
agent_own own_of(const agent_options& options);

/// The policy of these options, and how to look at this device.
std::shared_ptr<const device_guard> guard_of(const agent_options& options);

} // namespace harmony
