#pragma once

#include <chrono>
#include <string>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/keyring.hpp"

namespace harmony::ctl {

/// Adds to `keys`, and to the folder that they were read from, whom the server's account of devices
/// has turned out beside them, so that an older copy of the folder forgets nobody. Gives when that
/// account was issued. Fails as a store's calls do, and as read_fleet_account does.
outcome<std::chrono::sys_seconds> learn_revoked(const context& c, const std::string& folder,
                                                keyring& keys, std::chrono::sys_seconds now);

/// Gives the server the devices' account anew, with all that it and the folder have turned out.
/// Where the server does not tell what it has, nothing is sent to it.
outcome<void> push_fleet_account(const context& c, const std::string& folder, keyring keys,
                                 std::chrono::sys_seconds now);

} // namespace harmony::ctl
