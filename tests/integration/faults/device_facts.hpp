#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace harmony::test {

// What a scenario tells the agent, and how it looks at the device.

std::string resource_json(const std::string& kind, const std::string& name, const std::string& spec,
                          const std::string& more = {});

/// Sorted, a line each.
std::string lines_of(std::vector<std::string> all);
/// The lines of `text`, sorted, without empty ones.
std::string sorted(const std::string& text);

/// The paths of all that is in `folder`, from there, a line each.
std::string tree_of(const std::filesystem::path& folder);
std::string mode_of(const std::filesystem::path& path);
std::string inode_of(const std::filesystem::path& path);
std::string content_of(const std::filesystem::path& path); ///< or "absent"

} // namespace harmony::test
