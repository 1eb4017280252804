#pragma once

// The transient unit of a ShellJob: pure.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/reconciler.hpp"
#include "topology/systemd_transient.hpp"

namespace harmony {

/// The unit that runs a job, and the one that runs its `unless`.
std::string job_unit_name(const resource_id& id);
std::string guard_unit_name(const resource_id& id);

/// The beginning of the description of every unit of this resource and agent; a run's identity
/// follows.
std::string job_marker(std::string_view agent, const resource_id& id);

/// Where a unit's output goes.
struct job_output {
  std::filesystem::path out;
  std::filesystem::path err;
};

/// The unit that runs `command` in the sandbox of `want`.
transient_unit job_unit(const desired<shell_job_spec>& want, std::string name,
                        std::string description, const std::vector<std::string>& command,
                        const std::vector<std::string>& hidden);

/// Sends the unit's output to files, which are emptied at its start.
void redirect(transient_unit& unit, const job_output& to);

} // namespace harmony
