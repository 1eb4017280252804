#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace harmony {

/// One `key = value` of a configuration file; numbers and booleans as their text.
struct config_entry {
  std::string key;
  std::string value;
  unsigned line = 0;
};

/// Reads the flat part of a TOML file; tables that another reader takes are left out. Fails with
/// invalid_document; the message names file, line and column.
outcome<std::vector<config_entry>> read_config_entries(std::string_view toml,
                                                       const std::string& path);

} // namespace harmony
