#include <algorithm>
#include <array>

#include "reconcilers/systemd_unit.hpp"

namespace harmony {

namespace {

constexpr auto brief_hash = 12;

std::string quoted(const std::string& unit) {
  return "unit '" + unit + "'";
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool runs(const unit_properties& u) {
  return is_one_of(u.active_state, {"active", "reloading", "refreshing"});
}

// Why nothing may be done at all: somebody else's file, a mask, a name that is none.
outcome<void> check_content(const desired<systemd_unit_spec>& want,
                            const systemd_unit_observed& seen) {
  if (seen.file == unit_file_owner::foreign)
    return {ec::name_conflict, "'" + seen.path
                                 + "' is there and is not this agent's (its first "
                                   "line does not say so); remove it, or manage "
                                 + quoted(want.spec.unit) + " without content"};
  if (seen.file == unit_file_owner::none && !seen.unit.fragment_path.empty()
      && seen.unit.fragment_path != seen.path)
    return {ec::name_conflict, quoted(want.spec.unit) + " exists already, from '"
                                 + seen.unit.fragment_path
                                 + "', and a file of the agent would hide it; choose another name, "
                                   "or manage it without content"};
  return {};
}

outcome<void> check(const desired<systemd_unit_spec>& want, const systemd_unit_observed& seen) {
  const auto& spec = want.spec;
  if (!is_unit_name(spec.unit))
    return {ec::invalid_spec, "'" + spec.unit
                                + "' is not a unit name; expected one with its "
                                  "suffix, like \"web.service\""};
  const bool wanted =
    spec.content || spec.state == unit_state::active || spec.enabled.value_or(false);
  const bool masked = seen.file == unit_file_owner::masked || seen.unit.load_state == "masked";
  if (masked && wanted)
    return {ec::unit_masked, quoted(spec.unit)
                               + " is masked on this device; unmask it with "
                                 "'systemctl unmask "
                               + spec.unit + "'"};
  if (spec.content)
    return check_content(want, seen);
  if (wanted && seen.unit.load_state == "not-found" && seen.file == unit_file_owner::none)
    return {ec::unit_not_found, quoted(spec.unit)
                                  + " is not installed on this device; install it, "
                                    "or give its content in the manifest"};
  return {};
}

void plan_content(const desired<systemd_unit_spec>& want, const systemd_unit_observed& seen,
                  std::vector<change>& todo) {
  if (!want.spec.content)
    return;
  const auto to = "sha256:" + sha256_hex(*want.spec.content).substr(0, brief_hash);
  if (seen.file == unit_file_owner::none) {
    // A unit still loaded from a file that is gone has to be loaded anew, and one that still runs
    // without any is older: not a first creation.
    if (seen.unit.load_state == "not-found" && is_one_of(seen.unit.active_state, {"inactive"}))
      todo.push_back({action::create, "content", "", to});
    else
      todo.push_back({action::update, "content", "its file is gone", to});
  } else if (seen.content != *want.spec.content) {
    todo.push_back(
      {action::update, "content", "sha256:" + sha256_hex(seen.content).substr(0, brief_hash), to});
  } else if (!seen.recorded && seen.lost) {
    todo.push_back({action::update, "ownership", "not on record", "on record"});
  } else if (!seen.recorded) {
    todo.push_back({action::update, "content", "not in the inventory", to});
  } else if (seen.unit.need_reload) {
    todo.push_back({action::update, "content", "an older version is loaded", to});
  } else if (seen.record.stamp.empty()) {
    todo.push_back({action::update, "content", "an older version may be loaded", to});
  }
}

void plan_enabled(const desired<systemd_unit_spec>& want, const systemd_unit_observed& seen,
                  std::vector<change>& todo) {
  if (!want.spec.enabled)
    return;
  const auto& is = seen.unit.unit_file_state;
  // "indirect" and "alias" are what enabling leads to for units that are enabled under another
  // name. "enabled-runtime" ends with this boot.
  const bool enabled = is_one_of(is, {"enabled", "indirect", "alias"});
  const bool disabled = !enabled && !is_one_of(is, {"enabled-runtime", "linked", "linked-runtime"});
  if (*want.spec.enabled && !enabled)
    todo.push_back({action::update, "enabled", is.empty() ? "none" : is, "enabled"});
  else if (!*want.spec.enabled && !disabled)
    todo.push_back({action::update, "enabled", is, "disabled"});
}

void plan_state(const desired<systemd_unit_spec>& want, const systemd_unit_observed& seen,
                std::vector<change>& todo) {
  const auto& u = seen.unit;
  const auto from = u.active_state + " (" + u.sub_state + ")";
  if (want.spec.state == unit_state::inactive) {
    // A failed unit does not run; that it failed stays to be seen.
    if (!is_one_of(u.active_state, {"inactive", "failed"}))
      todo.push_back({action::update, "state", from, "inactive"});
    return;
  }
  const bool rewritten =
    std::any_of(todo.begin(), todo.end(), [](const change& c) { return c.field == "content"; });
  const auto stamp = start_stamp(want);
  const auto& known = seen.record;
  const bool older = !known.older_run.empty() && u.invocation_id == known.older_run;
  const bool stale = rewritten || (!stamp.empty() && (known.stamp != stamp || older));
  if (stale && (runs(u) || u.active_state == "activating"))
    todo.push_back(
      {action::restart, std::string{restart_field}, older ? "an older run" : known.stamp, stamp});
  else if (!runs(u))
    todo.push_back({action::update, "state", from, "active"});
}

} // namespace

std::string start_stamp(const desired<systemd_unit_spec>& want) {
  if (!want.spec.content && want.restart_stamp.empty())
    return {};
  const auto content = want.spec.content ? sha256_hex(*want.spec.content) : std::string{};
  return sha256_hex(content + "\n" + want.restart_stamp).substr(0, 32);
}

std::string write_note(const unit_record& r) {
  return r.older_run.empty() ? r.stamp : r.stamp + " " + r.older_run;
}

unit_record read_unit_record(std::string_view note) {
  const auto space = note.find(' ');
  if (space == std::string_view::npos)
    return {std::string{note}, {}};
  return {std::string{note.substr(0, space)}, std::string{note.substr(space + 1)}};
}

outcome<std::vector<change>> systemd_unit::plan(const desired<systemd_unit_spec>& want,
                                                const systemd_unit_observed& seen) {
  if (const auto may = check(want, seen); !may)
    return may.error();
  std::vector<change> todo;
  plan_content(want, seen, todo);
  plan_enabled(want, seen, todo);
  plan_state(want, seen, todo);
  return todo;
}

resource_state systemd_unit::report(const systemd_unit_observed& seen) {
  const auto& u = seen.unit;
  return unit_status{u.active_state, u.sub_state, u.restarts, u.unit_file_state};
}

} // namespace harmony
