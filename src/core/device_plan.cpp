#include "core/device_plan.hpp"

#include <algorithm>
#include <set>

namespace harmony {

namespace {

bool any(const std::vector<change>& changes, action what) {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const change& c) { return c.what == what; });
}

/// "image, ports": the fields that are to be changed so.
std::string fields_of(const std::vector<change>& changes, action what) {
  std::set<std::string> seen;
  std::string text;
  for (const auto& c : changes)
    if (c.what == what && seen.insert(c.field).second)
      text += (text.empty() ? "" : ", ") + c.field;
  return text;
}

} // namespace

planned_resource plan_for(const resource_id& id, const std::vector<change>& changes) {
  planned_resource result{id, plan_step::keep, "it is as declared", {}};
  for (const auto& c : changes)
    result.changes.push_back({std::string{name_of(c.what)}, c.field, c.from, c.to});
  const auto say = [&](plan_step step, std::string reason) {
    result.step = step;
    result.reason = std::move(reason);
  };
  if (any(changes, action::create))
    say(plan_step::create, "it is not on the device");
  else if (any(changes, action::replace))
    say(plan_step::replace, "cannot be changed in place: " + fields_of(changes, action::replace));
  else if (any(changes, action::update))
    say(plan_step::update, "differs on the device: " + fields_of(changes, action::update));
  else if (any(changes, action::restart))
    say(plan_step::restart, "it has to be started anew");
  else if (!changes.empty())
    say(plan_step::update, "something that it was before is still there");
  return result;
}

planned_resource plan_blocked(const resource_id& id, const failure& why) {
  return {id, plan_step::blocked, std::string{reason_of(why.code)} + ": " + why.message, {}};
}

planned_resource plan_leaving(const resource_id& id, bool retained) {
  if (retained)
    return {id, plan_step::keep, "it left the manifest and stays, as onRemove says", {}};
  return {id, plan_step::remove, "it left the manifest", {}};
}

} // namespace harmony
