#pragma once

#include <map>
#include <string>

#include "reconcilers/registry.hpp"

namespace harmony {

/// By what a person tells this machine from others: host name, model, system.
std::map<std::string, std::string> short_facts();

/// What this device is, as the JSON document of bucket `device-info`: hardware, operating system,
/// versions, and the kinds that it can run, or why not. Reads a few small files; what cannot be
/// read is left out. `sealing_key`: what secrets for it are sealed to; empty: there is none.
std::string device_facts(const std::string& agent, const driver_registry& drivers,
                         const std::string& sealing_key = {});

} // namespace harmony
