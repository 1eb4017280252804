#pragma once

#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "trust/trust_policy.hpp"

namespace harmony {

/// One `key = value` of a configuration file; numbers and booleans as their text.
struct config_entry {
  std::string key;
  std::string value;
  unsigned line = 0;
};

/// Reads the flat part of a TOML file; tables that another reader takes are left out. Fails with
/// invalid_document; the message names file, line and column.
outcome<std::vector<config_entry>> read_config_file(const std::string& path);

/// Reads its table [trust]: whose manifests are taken. No flag or variable says that, only the
/// file, which is root's. Fails with io_error, and as read_trust.
outcome<trust_policy> read_trust_file(const std::string& path);

} // namespace harmony
