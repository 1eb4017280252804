#pragma once

// What File and Directory have in common: something with a mode, an owner and a group at a path.

#include <string>
#include <string_view>
#include <vector>

#include "core/change.hpp"
#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "reconcilers/reconciler.hpp"
#include "reconcilers/turns.hpp"
#include "topology/files.hpp"

namespace harmony {

/// What stands at a path, and what this device makes of the accounts that the spec names.
struct observed_entry {
  file_info found;
  std::string owner; ///< name of found.uid
  std::string group; ///< name of found.gid
  account_ids wanted;
  std::string wanted_owner; ///< name of wanted.uid
  std::string wanted_group; ///< name of wanted.gid
  bool owned = false;       ///< by this resource, after the inventory
  bool lost = false;        ///< the inventory's former records are: it may have been owned
  std::string told;         ///< of a file: what a status may say of its content
  std::string leftover;     ///< name of a temporary that a killed agent left; empty: none

  friend bool operator==(const observed_entry&, const observed_entry&) = default;
};

/// The record of something that equals its manifest where all records were lost. That does not
/// prove that the agent made it, so it counts as adopted: kept as declared, never deleted.
inline constexpr std::string_view ownership_field = "ownership";
inline change taken_back() {
  return {action::update, std::string{ownership_field}, "not on record", "on record"};
}

/// Permission bits of an octal string such as "0644".
outcome<std::uint32_t> parse_mode(const std::string& octal);
std::string format_mode(std::uint32_t mode);

/// "mode", "owner" and "group", where they differ.
outcome<std::vector<change>> entry_differences(const std::string& mode, const observed_entry& seen);

/// "the mode and the owner": the fields of `changes` for a message.
std::string list_fields(const std::vector<change>& changes);

/// Reads what stands at `path`, without its content.
outcome<observed_entry> observe_accounts(file_system& fs, observed_entry seen,
                                         const std::string& owner, const std::string& group);

} // namespace harmony
