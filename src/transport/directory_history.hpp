#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/directory_entry.hpp"
#include "transport/directory_io.hpp"

/// Former entries of a key: links beside it, named `.<key>.<revision>`. Revisions of a key grow one
/// by one, so that those kept are the ones before the newest, and nothing has to be listed.
namespace harmony::directory {

/// How many revisions before the newest one are kept.
inline constexpr std::uint64_t kept_revisions = 9;

/// Keeps what is at `key` now, as revision `newest`, before it is replaced; `deleted`: there is
/// nothing to keep. Forgets what is too old. A history with gaps is no reason not to write, so
/// nothing here can fail.
void keep_former(const open_fd& folder, const std::string& key, std::uint64_t newest, bool deleted);

/// What was kept before revision `newest`, newest first. What cannot be read is left out.
std::vector<entry> former_entries(const open_fd& folder, const std::string& key,
                                  std::uint64_t newest);

} // namespace harmony::directory
