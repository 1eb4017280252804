#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "apps/ctl/keyring.hpp"

/// The JWTs of a fleet in operator mode.
namespace harmony::ctl {

struct fleet_claims {
  std::string operator_jwt;
  std::map<std::string, std::string> accounts; ///< public key -> JWT
};

outcome<fleet_claims> fleet_claims_of(const keyring& keys, std::chrono::sys_seconds now);

/// The devices' account alone, with whom it has turned out.
outcome<std::string> fleet_account_jwt(const keyring& keys, std::chrono::sys_seconds now);

/// Whom a user's JWT is for.
struct user_request {
  std::string name; ///< of a device: its agent id, which its rights follow from
  std::string nkey; ///< public key
  std::chrono::sys_seconds now;
  std::optional<std::chrono::sys_seconds> expires;
};

/// A device's, signed by the scoped key: the server fills in its rights by its name.
outcome<std::string> device_jwt(const keyring& keys, const user_request& whom);
/// A token's holder's, by the token's id; likewise.
outcome<std::string> token_jwt(const keyring& keys, const user_request& whom);
/// One who may do everything in CONTROL.
outcome<std::string> admin_jwt(const keyring& keys, const user_request& whom);
/// One who may do everything in the system account.
outcome<std::string> system_jwt(const keyring& keys, const user_request& whom);

} // namespace harmony::ctl
