#include <nlohmann/json.hpp>

#include "core/failover/timings.hpp"
#include "reconcilers/postgres_cluster.hpp"

namespace harmony {

namespace {

using nlohmann::json;

/// What keeps the agent from doing anything.
outcome<void> check(const postgres_cluster_spec& spec, const postgres_cluster_observed& seen) {
  const auto wrong = failover::validate(failover::timings_of(spec));
  if (!wrong.empty())
    return wrong.front();
  const auto& guard = seen.guard;
  if (!guard.managed)
    return {};
  const auto unit = postgres_guard::unit_of(spec.cluster);
  if (guard.conf == unit_file_owner::foreign || guard.conf == unit_file_owner::masked)
    return {ec::name_conflict, "'" + guard.path
                                 + "' is there and is not this agent's (its first line does not "
                                   "say so); stop '"
                                 + unit + "' and remove it: the agent writes it itself"};
  if (guard.unit.load_state == "masked")
    return {ec::unit_masked, "unit '" + unit
                               + "' is masked on this device; unmask it with 'systemctl unmask "
                               + unit + "'"};
  if (guard.unit.load_state == "not-found")
    return {ec::unit_not_found, "unit '" + unit
                                  + "' is not installed on this device; install the guard, "
                                    "harmony-pgguard, with its unit"};
  return {};
}

void plan_guard(const postgres_cluster_spec& spec, const postgres_guard_observed& guard,
                std::vector<change>& todo) {
  if (!guard.managed)
    return;
  if (guard.conf == unit_file_owner::none)
    todo.push_back({action::create, "guard.conf", {}, guard.path});
  else if (guard.content != postgres_guard::content_of(spec))
    todo.push_back({action::update, "guard.conf", "another", "of this declaration"});
  if (guard.unit.unit_file_state != "enabled")
    todo.push_back({action::update, "guard.enabled",
                    guard.unit.unit_file_state.empty() ? "none" : guard.unit.unit_file_state,
                    "enabled"});
  const auto& active = guard.unit.active_state;
  if (active != "active" && active != "activating" && active != "reloading")
    todo.push_back({action::update, "guard", active + " (" + guard.unit.sub_state + ")", "active"});
}

std::string told(const json& spec, const std::string& field) {
  const auto found = spec.find(field);
  if (found == spec.end())
    return "default";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// The fields in which two declarations differ, by the spec's own names. No secret's value is told.
void plan_fields(const postgres_cluster_spec& spec, const postgres_cluster_spec& runs,
                 std::vector<change>& todo) {
  const auto from = json::parse(canonical(resource_spec{runs}));
  const auto to = json::parse(canonical(resource_spec{spec}));
  auto fields = from;
  fields.update(to);
  for (const auto& each : fields.items()) {
    const auto& field = each.key();
    const bool known = from.contains(field) && to.contains(field);
    if (field != "dataDir" && (!known || from[field] != to[field]))
      todo.push_back({action::update, field, told(from, field), told(to, field)});
  }
  const auto& mine = spec.replication_password;
  const auto& its = runs.replication_password;
  if (mine && its && mine->value != its->value)
    todo.push_back({action::update, "replication.secretRef", "another", "secret"});
}

} // namespace

bool is_relocated(const postgres_cluster_spec& spec, const postgres_cluster_observed& seen) {
  const auto& guard = seen.guard;
  const auto wanted = postgres_guard::content_of(spec);
  const bool guard_elsewhere =
    guard.managed && guard.conf == unit_file_owner::ours
    && postgres_guard::data_line(guard.content) != postgres_guard::data_line(wanted);
  return guard_elsewhere || (seen.member.runs && seen.member.runs->data_dir != spec.data_dir);
}

outcome<std::vector<change>> member_differences(const desired<postgres_cluster_spec>& want,
                                                const postgres_cluster_observed& seen) {
  const auto& spec = want.spec;
  if (auto may = check(spec, seen); !may)
    return may.error();
  std::vector<change> todo;
  if (!seen.recorded && seen.member.runs)
    todo.push_back({action::update, "ownership", "not on record", "on record"});
  if (is_relocated(spec, seen))
    todo.push_back({action::replace, "dataDir",
                    seen.member.runs ? seen.member.runs->data_dir : "another", spec.data_dir});
  plan_guard(spec, seen.guard, todo);
  if (!seen.member.runs)
    todo.push_back({action::create, "member", {}, spec.member});
  else
    plan_fields(spec, *seen.member.runs, todo);
  return todo;
}

outcome<std::vector<change>>
postgres_cluster_operations::plan(const desired<postgres_cluster_spec>& want,
                                  const postgres_cluster_observed& seen) {
  auto todo = member_differences(want, seen);
  if (!todo || !todo->empty() || seen.member.well)
    return todo;
  const auto& what = seen.member;
  return failure{ec::not_converged, "member '" + want.spec.member + "' is "
                                      + (what.role.empty() ? "not up yet" : what.role)
                                      + ", and neither primary nor a standby that streams"
                                      + (what.detail.empty() ? "" : ": " + what.detail)};
}

} // namespace harmony
