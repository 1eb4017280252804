#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "apps/agent/check_trust.hpp"
#include "apps/agent/options.hpp"
#include "core/checkup.hpp"
#include "model/manifest.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// What was seen of the folder with the agent's own state.
struct folder_sight {
  bool own = true;      ///< this user's
  unsigned mode = 0700; ///< permission bits
  bool read_only = false;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_files = 0; ///< inodes
  std::uint64_t total_files = 0;
};

/// What was seen of this device. An `outcome` that is absent: turned off, or not there.
struct device_sight {
  std::string config_fault; ///< empty: none
  device_policy policy;
  trust_sight trust;
  std::string agent;
  std::string store_url; ///< without user and password
  std::string state_dir;
  bool running = false; ///< an agent holds the state folder
  bool root = false;
  bool may_change_network = false;
  outcome<folder_sight> state = folder_sight{};
  /// When the agent's manifest was written, by the store's clock; nothing: it has none.
  outcome<std::optional<timestamp>> store_read = std::optional<timestamp>{};
  outcome<void> store_write = {};
  timestamp wall;
  bool clock_synchronised = false;
  std::optional<outcome<void>> systemd;
  std::optional<outcome<void>> podman;
  std::optional<outcome<bool>> packages; ///< whether a transaction was cut off, or runs
};

/// Pure: what a technician should know of this device, and do.
findings judge(const device_sight& d);

/// Looks at the device as its configuration has it, prints the findings, and gives the exit code: 1
/// where something fails, otherwise 0. Changes nothing; takes some seconds at most.
int run_check(const check_request& what, std::ostream& out);

} // namespace harmony
