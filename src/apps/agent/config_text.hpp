#pragma once

#include <string>

#include "model/outcome.hpp"

namespace harmony {

/// The text of a configuration file that only this user and root can change: whoever writes it
/// commands the device. Fails with permission_denied where others may, and with io_error where it
/// cannot be read.
outcome<std::string> read_config_text(const std::string& path);

} // namespace harmony
