#pragma once

#include <span>
#include <string_view>

#include "apps/agent/options.hpp"

namespace harmony {

/// Every option, once: flag `--name`, variable HARMONY_NAME, key `name` of the file.
struct option_entry {
  const char* name;
  const char* value; ///< its name in the help
  const char* help;
  outcome<void> (*set)(agent_options&, std::string_view);
};

/// All options, in the order of the help.
std::span<const option_entry> option_table();

} // namespace harmony
