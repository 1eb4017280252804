#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harmony::ctl {

/// What can stand in place of the word under the cursor.
struct completion {
  std::vector<std::string> candidates; ///< those that begin with `prefix`
  bool agents = false;                 ///< the agents of the store too
  std::string prefix;
  std::string store; ///< --store, where the line gives one
};

/// Completes the last of `words`, which are those after the program's name. Follows the declared
/// command line, so it knows each command and flag.
completion complete(const std::vector<std::string>& words);

/// The script that a shell loads; it asks `harmonyctl __complete` for candidates.
std::string completion_script(std::string_view shell);

} // namespace harmony::ctl
