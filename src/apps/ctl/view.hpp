#pragma once

#include <chrono>
#include <string>

#include "apps/ctl/printer.hpp"
#include "apps/ctl/session.hpp"

namespace harmony::ctl {

using wall_time = std::chrono::system_clock::time_point;

/// Green for what is as it should be, yellow for what is on its way, red for what is not.
tone tone_of(std::string_view phase);

/// "active (running), enabled", "present, mode 0644": the observed state in a few words.
std::string summary_of(const resource_state& state);

/// The beginning of "sha256:…", by which people tell hashes apart.
std::string short_hash(const std::string& hash);

/// "3s" or "none seen".
std::string heartbeat_age(const agent_record& record, wall_time now);

/// "3s ago"; empty for the epoch.
std::string ago(wall_time then, wall_time now);

/// One row an agent, one row a resource.
listing list_agents(const std::vector<agent_record>& agents, wall_time now);
listing list_resources(const std::vector<agent_record>& agents, bool with_agent);

/// Everything about one agent or one resource, for a person and as a value.
std::string describe_agent(const agent_record& record, const std::string& device, wall_time now,
                           bool colour);
json agent_value(const agent_record& record, const std::string& device, wall_time now);
std::string describe_resource(const agent_record& record, const resource_id& id, wall_time now,
                              bool colour);
json resource_value(const agent_record& record, const resource_id& id);

/// The resource of that id in the newest manifest; null when it is not there.
const resource* find_desired(const agent_record& record, const resource_id& id);
const resource_status* find_status(const agent_record& record, const resource_id& id);

} // namespace harmony::ctl
