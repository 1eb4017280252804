#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "model/ids.hpp"

namespace harmony {

/// Keeps the newest status on the device too, as `status.json` in the state folder, so that it can
/// be read without any network. Replaced in one step; not synced, because it is written anew at the
/// next start. What cannot be written is given up silently: the store has it.
void keep_local_status(const std::string& state_dir, const std::string& text);

/// Whether an agent holds the state folder.
bool is_running(const std::string& state_dir);

/// What `harmony-agent status` was asked for.
struct status_request {
  std::string state_dir;
  std::optional<resource_id> resource; ///< absent: the device and all that is not ready
  bool as_json = false;                ///< the document itself
};

/// Prints it, in words unless `as_json`. Gives the exit code: 0; 1 where there is no status to
/// read; 3 where the resource is not known.
int show_local_status(const status_request& what, std::ostream& out, std::ostream& err);

} // namespace harmony
