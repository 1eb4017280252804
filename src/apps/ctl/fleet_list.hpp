#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "model/outcome.hpp"

/// Who is in the fleet: a list of devices and their public keys, which grows with each that is let
/// in. A key is one device's; a list in which one stands twice is spoiled.
namespace harmony::ctl {

/// A device and its public key, "U…". A device may have two: the old and the new one.
struct fleet_device {
  std::string id, nkey;
  std::set<std::string> clusters; ///< for failover, that it is a member of

  friend bool operator==(const fleet_device&, const fleet_device&) = default;
};

/// Of a list's file: some millions of devices. Who cannot read it can turn nobody out.
inline constexpr std::size_t longest_fleet_list = std::size_t{256} << 20;

/// "ID=NKEY"; fails with invalid_spec.
outcome<fleet_device> read_device(const std::string& text);

/// Lines "ID NKEY [cluster=NAME…]", empty ones and comments (#). Fails with invalid_document,
/// naming the line.
outcome<std::vector<fleet_device>> read_fleet(const std::string& text, const std::string& source);

/// The same from a file.
outcome<std::vector<fleet_device>> load_fleet(const std::string& path);

/// Of a file that the first device makes: nobody where it is missing.
outcome<std::vector<fleet_device>> load_fleet_so_far(const std::string& path);

/// The keys of one device, oldest first.
std::vector<std::string> keys_of(const std::vector<fleet_device>& listed, const std::string& id);

/// The clusters of which a device of that id is a member by any of its lines: a new key is in all
/// that the former one was in.
std::set<std::string> clusters_of(const std::vector<fleet_device>& listed, const std::string& id);

/// All clusters that have a member in the list.
std::set<std::string> clusters_of(const std::vector<fleet_device>& listed);

/// Fails with conflict where the key is another device's.
outcome<void> check_own_key(const std::vector<fleet_device>& listed, const fleet_device& newcomer);

} // namespace harmony::ctl
