#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

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

/// What a server says of the devices' account.
struct account_on_server {
  std::chrono::sys_seconds issued;
  revocations revoked;
};

/// Reads the devices' account. Fails with invalid_document where it is not that, or not signed by
/// this fleet's operator; also where it turns out all keys at once ("*"), as other tools may have
/// it: what cannot be kept is not to be lost.
outcome<account_on_server> read_fleet_account(const keyring& keys, std::string_view jwt);

/// Whom a user's JWT is for.
struct user_request {
  std::string name; ///< of a device: its agent id, which its rights follow from
  std::string nkey; ///< public key
  std::chrono::sys_seconds now;
  std::optional<std::chrono::sys_seconds> expires;
  std::set<std::string> clusters = {}; ///< for failover, that a device is a member of
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
