#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/directory_entry.hpp"
#include "transport/directory_io.hpp"

/// Former entries of a key: links beside it, named `.<key>.<revision>`.
namespace harmony::directory {

/// Keeps what is at `key` now, as `revision`, before it is replaced; of those kept before, the
/// newest `most` - 1. A history with gaps is no reason not to write, so nothing here can fail.
void keep_former(const unique_fd& folder, const std::string& key, std::uint64_t revision,
                 std::size_t most);

/// What was kept, newest first. What cannot be read is left out.
std::vector<entry> former_entries(const unique_fd& folder, const std::string& key);

} // namespace harmony::directory
