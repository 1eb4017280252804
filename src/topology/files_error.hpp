#pragma once

#include <string_view>

#include "model/outcome.hpp"

namespace harmony {

/// The failure for `error` (an errno) of trying to `what` ("write", "create", …) at `path`:
/// disk_full, permission_denied, read_only, or io_error. The message names the path, the system's
/// own words and, where there is one, the remedy.
failure from_errno(int error, std::string_view what, std::string_view path);

} // namespace harmony
