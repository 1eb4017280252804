#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "apps/ctl/fleet_list.hpp"
#include "identity/nkey.hpp"

namespace harmony::ctl {

/// The keys of a fleet in operator mode, and whom they have turned out: a folder of mode 0700 on a
/// machine that is neither a device nor the server. Who has it owns the fleet.
struct keyring {
  nkey_pair operator_key;
  nkey_pair system;       ///< account: the server's own events, and the renewal of JWTs
  nkey_pair control;      ///< account: operators and streams
  nkey_pair fleet;        ///< account: devices
  nkey_pair enrol;        ///< account: who has no more than a token yet
  nkey_pair signer;       ///< signs devices' JWTs, and can grant no more than a device's rights
  nkey_pair enrol_signer; ///< signs tokens' JWTs, and can grant no more than a token's rights
  /// Public keys of devices, and when they were turned out: JWTs of then or before are refused.
  std::map<std::string, std::chrono::sys_seconds> revoked;
};

/// Reads the folder. Fails with not_found where it is missing, and with permission_denied where
/// others reach a key.
outcome<keyring> load_keyring(const std::string& folder);

/// Makes a folder with new keys; fails with name_conflict where it exists.
outcome<keyring> make_keyring(const std::string& folder);

/// What the folder knows of a device's keys: that a JWT was made out for this one. Fails with
/// conflict where it is another device's.
outcome<void> note_device(const std::string& folder, const std::string& id,
                          const std::string& nkey);

/// Turns out the keys; from `now` on, for JWTs of then or before.
outcome<void> note_revoked(const std::string& folder, const std::vector<std::string>& nkeys,
                           std::chrono::sys_seconds now);

/// The devices, and the keys that JWTs of theirs were made out for.
outcome<std::vector<fleet_device>> listed_devices(const std::string& folder);

/// The keys that JWTs of `id` were made out for, oldest first.
outcome<std::vector<std::string>> keys_of_device(const std::string& folder, const std::string& id);

} // namespace harmony::ctl
