#include "apps/ctl/view.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "apps/ctl/durations.hpp"
#include "core/age.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Joins what is not empty.
std::string joined(std::initializer_list<std::string> parts) {
  std::string text;
  for (const auto& part : parts)
    if (!part.empty())
      text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string counted(std::uint32_t n, const std::string& what) {
  return n == 0 ? "" : std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

struct summarizer {
  std::string operator()(const std::monostate& /*none*/) const { return ""; }
  std::string operator()(const file_state& s) const {
    if (s.present_at.empty())
      return "absent";
    return joined({"present", s.mode.empty() ? "" : "mode " + s.mode, short_hash(s.present_at)});
  }
  std::string operator()(const directory_state& s) const {
    return s.present ? joined({"present", s.mode.empty() ? "" : "mode " + s.mode}) : "absent";
  }
  std::string operator()(const unit_status& s) const {
    auto active = s.active;
    if (!s.sub.empty())
      active += " (" + s.sub + ")";
    return joined({active, s.enabled, counted(s.restarts, "restart")});
  }
  std::string operator()(const container_state& s) const {
    if (const auto* running = std::get_if<container_running>(&s.state))
      return joined({"running", counted(running->restarts, "restart")});
    if (const auto* ended = std::get_if<container_terminated>(&s.state))
      return joined(
        {"exited with " + std::to_string(ended->exit_code), counted(ended->restarts, "restart")});
    return std::get<container_waiting>(s.state).reason;
  }
  std::string operator()(const job_state& s) const {
    if (!s.skipped.empty())
      return "not needed (" + s.skipped + ")";
    if (!s.signal.empty())
      return "killed by " + s.signal;
    if (s.exit_code)
      return "exited with " + std::to_string(*s.exit_code);
    return s.started.empty() ? "not run yet" : "running";
  }
  std::string operator()(const package_status& s) const {
    return s.version.empty() ? "absent" : s.version;
  }
  std::string operator()(const user_state& s) const {
    return s.present ? "uid " + std::to_string(s.uid) : "absent";
  }
  std::string operator()(const network_status& s) const {
    if (!s.present)
      return "absent";
    return joined({s.up ? "up" : "down", s.up && !s.carrier ? "no carrier" : "",
                   s.addresses.empty() ? "" : s.addresses.front()});
  }
  std::string operator()(const cluster_state& s) const {
    const bool guarded = s.guard.empty() || s.guard == "active";
    return joined(
      {s.role.empty() ? "does not run" : s.role, guarded ? "" : "guard " + s.guard, s.detail});
  }
};

json count_or_null(bool known, std::uint64_t count) {
  return known ? json(count) : json(nullptr);
}

cell generation_cell(const agent_record& r) {
  const auto wanted = r.desired ? std::to_string(r.desired->value.metadata.generation) : "-";
  const auto seen = r.status ? std::to_string(r.status->observed_generation) : "-";
  return cell::of(wanted == seen ? wanted : seen + " of " + wanted, json(nullptr),
                  wanted == seen ? tone::plain : tone::busy);
}

std::vector<cell> agent_row(const agent_record& r, wall_time now) {
  const auto phase = phase_of(r, now);
  std::uint64_t ready = 0;
  std::set<resource_id> all;
  if (r.status)
    for (const auto& [id, s] : r.status->resources) {
      ready += s.phase == resource_phase::ready ? 1 : 0;
      all.insert(id);
    }
  if (r.desired)
    for (const auto& wanted : r.desired->value.resources)
      all.insert(wanted.id);
  json age = nullptr;
  if (r.beat)
    age = std::chrono::duration<double>(floor<milliseconds>(now - r.beat->at)).count();
  return {
    cell::of(r.agent),
    cell::of(phase, tone_of(phase)),
    generation_cell(r),
    cell::of("", count_or_null(r.desired.has_value(),
                               r.desired ? r.desired->value.metadata.generation : 0)),
    cell::of("", count_or_null(r.status.has_value(), r.status ? r.status->observed_generation : 0)),
    cell::of(std::to_string(ready) + "/" + std::to_string(all.size()), json(ready)),
    cell::of("", json(all.size())),
    cell::of(heartbeat_age(r, now), age, r.beat ? tone::plain : tone::bad),
    cell::of(r.status ? ago(r.status_written, now) : "never",
             r.status ? json(format_time(std::chrono::floor<milliseconds>(r.status_written)))
                      : json(nullptr))};
}

std::vector<cell> resource_row(const agent_record& r, const resource_id& id) {
  const auto* status = find_status(r, id);
  if (status == nullptr)
    return {cell::of(r.agent),
            cell::of(id.str()),
            cell::of("Unreported", tone::busy),
            cell::of(""),
            cell::of("0", 0),
            cell::of(""),
            cell::of("in the manifest, and not in the agent's status yet")};
  const auto phase = std::string{name_of(status->phase)};
  return {cell::of(r.agent),
          cell::of(id.str()),
          cell::of(phase, tone_of(phase)),
          cell::of(status->reason),
          cell::of(std::to_string(status->attempts), status->attempts),
          cell::of(summary_of(status->state)),
          cell::of(status->message)};
}

} // namespace

std::string short_hash(const std::string& hash) {
  constexpr std::size_t shown = 19; // "sha256:" and 12 digits, as container tools show it
  return hash.substr(0, shown);
}

tone tone_of(std::string_view phase) {
  static constexpr std::array<std::string_view, 3> good{"Ready", "Converged", "Removed"};
  static constexpr std::array<std::string_view, 4> bad{"Failed", "Rejected", "Degraded", "Offline"};
  if (std::find(good.begin(), good.end(), phase) != good.end())
    return tone::good;
  return std::find(bad.begin(), bad.end(), phase) != bad.end() ? tone::bad : tone::busy;
}

std::string summary_of(const resource_state& state) {
  return std::visit(summarizer{}, state);
}

std::string heartbeat_age(const agent_record& record, wall_time now) {
  return record.beat ? ago(record.beat->at, now) : "none seen";
}

std::string ago(wall_time then, wall_time now) {
  if (then == wall_time{})
    return "";
  return format_age(duration_cast<milliseconds>(now - then)) + " ago";
}

listing list_agents(const std::vector<agent_record>& agents, wall_time now) {
  listing all;
  all.columns = {{"AGENT", "agent"},          {"PHASE", "phase"},
                 {"GENERATION", ""},          {"", "desiredGeneration"},
                 {"", "observedGeneration"},  {"READY", "ready"},
                 {"", "resources"},           {"HEARTBEAT", "heartbeatAgeSeconds"},
                 {"CHANGED", "statusWritten"}};
  all.nothing = "No agents in the store.";
  for (const auto& r : agents)
    all.rows.push_back(agent_row(r, now));
  return all;
}

listing list_resources(const std::vector<agent_record>& agents, bool with_agent) {
  listing all;
  all.columns = {{with_agent ? "AGENT" : "", "agent"},
                 {"RESOURCE", "resource"},
                 {"PHASE", "phase"},
                 {"REASON", "reason"},
                 {"ATTEMPTS", "attempts"},
                 {"STATE", "state"},
                 {"MESSAGE", "message"}};
  all.nothing = "No resources.";
  for (const auto& r : agents) {
    std::set<resource_id> ids;
    if (r.status)
      for (const auto& [id, s] : r.status->resources)
        ids.insert(id);
    if (r.desired)
      for (const auto& wanted : r.desired->value.resources)
        ids.insert(wanted.id);
    for (const auto& id : ids)
      all.rows.push_back(resource_row(r, id));
  }
  return all;
}

const resource* find_desired(const agent_record& record, const resource_id& id) {
  if (record.desired)
    for (const auto& r : record.desired->value.resources)
      if (r.id == id)
        return &r;
  return nullptr;
}

const resource_status* find_status(const agent_record& record, const resource_id& id) {
  if (!record.status)
    return nullptr;
  const auto found = record.status->resources.find(id);
  return found == record.status->resources.end() ? nullptr : &found->second;
}

} // namespace harmony::ctl
