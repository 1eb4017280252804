#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/commands.hpp"
#include "model/manifest.hpp"
#include "model/status.hpp"

namespace harmony {

/// Whether a condition says that something is not as it should be.
bool is_wrong(const condition& c);

/// Explains resource `id` of `status`. `desired`, where there is one, is the newest manifest: with
/// it the chain of what a blocked resource waits for is told to its end.
explanation explain_resource(const agent_status& status, const resource_id& id,
                             const manifest* desired, timestamp now);

/// Explains the device: itself first, then every resource that is not ready, those that others wait
/// for before those that wait.
std::vector<explanation> explain_agent(const agent_status& status, const manifest* desired,
                                       timestamp now);

/// The explanations as text for a terminal, a paragraph each.
std::string text_of(const std::vector<explanation>& all);

} // namespace harmony
