#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "apps/ctl/fleet_list.hpp"
#include "apps/ctl/keyring.hpp"
#include "apps/ctl/server_settings.hpp"
#include "model/outcome.hpp"

/// The configuration of a nats-server for a fleet: pure text from values.
namespace harmony::ctl {

/// The server knows each user's public key from its configuration. `admins` are the public keys of
/// those who operate the fleet; `tokens` are the ids and public keys of those who may enrol.
std::string static_config(const server_settings& settings, const std::vector<std::string>& admins,
                          const std::vector<fleet_device>& devices,
                          const std::vector<fleet_device>& tokens);

/// What a static configuration has of one device.
std::string static_user(const fleet_device& device);

/// The server knows the operator's key alone, and whom the operator's accounts vouch for.
/// `jwt_dir`: where it keeps the accounts' JWTs, so that they can be renewed while it runs; empty:
/// in memory, as this configuration has them.
outcome<std::string> operator_config(const server_settings& settings, const keyring& keys,
                                     const std::string& jwt_dir, std::chrono::sys_seconds now);

} // namespace harmony::ctl
