#pragma once

// What the tests of a whole agent declare, and how they look at their device.

#include <functional>
#include <string>
#include <vector>

#include "support/agent_process.hpp"

namespace harmony::test {

inline const std::string agent_program = HARMONY_AGENT;

// Flags of an agent that needs less than the whole device.
inline const std::vector<std::string> no_podman{"--podman", "off"};
inline const std::vector<std::string> files_only{"--podman", "off", "--systemd", "off"};

/// Runs a command of the device, silently; true if it succeeded.
bool run(const std::string& command);

/// Waits until `holds` does, 20 s at most: for what sends no event to the test.
bool becomes(const std::function<bool()>& holds);

/// `beside`: more fields of the resource, each with a comma before it.
std::string file_json(const std::string& name, const std::string& path, const std::string& content,
                      const std::string& beside = {});

/// Unit `test-<name>.service`. `lines` are those of its [Service], for JSON: a line ends with \\n.
std::string unit_json(const std::string& name, const std::string& lines,
                      const std::string& beside = {});

/// A container that idles, of an image that is on the device or nowhere.
std::string container_json(const std::string& name, const std::string& image,
                           const std::string& mode = {});

/// ,"dependsOn":["<id>"]
std::string after(const std::string& id);

/// The status of one resource; a default one where the status has none.
resource_status resource_of(const agent_status& s, const std::string& id);

/// The condition of that type; a default one where there is none.
condition condition_of(const agent_status& s, const std::string& type);

} // namespace harmony::test
