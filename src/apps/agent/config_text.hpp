#pragma once

#include <string>

#include "model/outcome.hpp"

namespace harmony {

/// The text of a configuration file that only this user and root can change: whoever writes it
/// commands the device. Fails as read_small_file does.
outcome<std::string> read_config_text(const std::string& path);

} // namespace harmony
