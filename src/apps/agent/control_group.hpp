#pragma once

#include <string>
#include <vector>

#include "apps/agent/options.hpp"

namespace harmony {

/// Words before a program that run it in a control group of its own: the agent's has little memory,
/// and who stops the agent kills what is in it. Empty where the agent does not work with the
/// system's service manager.
std::vector<std::string> own_control_group(systemd_mode mode);

} // namespace harmony
