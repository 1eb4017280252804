#pragma once

// Files that take the output of a process: only their end is of interest, also while it runs.

#include <cstddef>
#include <filesystem>
#include <string>

#include "model/outcome.hpp"

namespace harmony {

/// The last bytes of the file at `path`, at most `most`; empty when it cannot be read.
std::string read_tail(const std::filesystem::path& path, std::size_t most);

/// Gives back the space of all but about the last `keep` bytes of the file at `path`. Its size
/// stays, so a process that writes to it does not notice.
void keep_tail(const std::filesystem::path& path, std::size_t keep);

/// Makes the folder `path` (mode 0700) where it is missing. Fails as a file operation does.
outcome<void> make_private_folder(const std::filesystem::path& path);

} // namespace harmony
