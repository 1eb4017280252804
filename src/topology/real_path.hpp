#pragma once

#include <string>

#include "core/mount_table.hpp"

namespace harmony {

/// Where the absolute `path` leads once every symlink in it is followed, those of what does not
/// exist yet included. What cannot be looked at counts as no link. Blocks as the file system does.
std::string real_path(const std::string& path);

/// The mounts that this process sees now.
mount_table mounts_now();

} // namespace harmony
