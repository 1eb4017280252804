#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/ids.hpp"
#include "topology/systemd_files.hpp"

namespace harmony {

/// Whose file lies at the place of one that the agent marks by its first line.
enum class unit_file_owner {
  none,    ///< nothing there
  ours,    ///< its first line names this agent and this resource
  foreign, ///< anything else
  masked   ///< a link to /dev/null
};

/// The first line of a file that the agent wrote, newline included. Content follows.
std::string unit_marker(std::string_view agent, const resource_id& id);

unit_file_owner owner_of(const unit_file& file, const std::string& marker);

/// The resource of `kind` that the first line of `content` names, where it is this agent's.
std::optional<resource_id> marked_resource(const std::string& content, std::string_view agent,
                                           std::string_view kind);

} // namespace harmony
