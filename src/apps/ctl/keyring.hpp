#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "apps/ctl/fleet_list.hpp"
#include "identity/nkey.hpp"

namespace harmony::ctl {

/// Public keys of devices, and when they were turned out: JWTs of then or before are refused.
using revocations = std::map<std::string, std::chrono::sys_seconds>;

/// What of `theirs` is not in `ours`, or there at an earlier time: the later one holds.
revocations later_in(const revocations& theirs, const revocations& ours);

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
  revocations revoked;
  std::set<std::string> clusters; ///< for failover, that devices are members of
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

/// That the device is a member of a cluster for failover.
outcome<void> note_member(const std::string& folder, const std::string& id,
                          const std::string& cluster);

/// The clusters that the device is a member of.
outcome<std::set<std::string>> clusters_of_device(const std::string& folder, const std::string& id);

/// Adds those to whom the folder has turned out.
outcome<void> note_revoked(const std::string& folder, const revocations& out);

/// The devices, and the keys that JWTs of theirs were made out for.
outcome<std::vector<fleet_device>> listed_devices(const std::string& folder);

/// The keys that JWTs of `id` were made out for, oldest first.
outcome<std::vector<std::string>> keys_of_device(const std::string& folder, const std::string& id);

} // namespace harmony::ctl
