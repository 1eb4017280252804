#include "actors/device_planner.hpp"

#include <set>

#include "core/device_plan.hpp"
#include "core/diff.hpp"

namespace harmony {

namespace {

using self_pointer = device_planner_actor::stateful_pointer<device_planner_state>;

/// Looks at the resource on its lane; the answer comes under the number of its row.
void look_at(self_pointer self, const resource& r, std::uint64_t row) {
  const auto& s = self->state;
  const auto services = s.config.services;
  auto* driver = services->drivers->find(r.id.kind);
  auto work = [services, driver,
               want = desired<resource_spec>{r.id, r.spec, r.revision,
                                             restart_stamp(*s.config.wanted, r), r.origin}](
                std::stop_token stop, instant deadline) -> operation_answer {
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    auto seen = driver->observe(want, context);
    if (!seen)
      return seen.error();
    return std::move(*seen);
  };
  self->send(services->lanes.at(driver->runtime()),
             run_operation{device_planner_actor{self}, row, operation_kind::observe,
                           "plan " + r.id.str(), services->limits.observe, std::move(work)});
}

bool is_retained(const manifest_ptr& in_force, const resource_id& id) {
  if (in_force)
    for (const auto& r : in_force->resources)
      if (r.id == id)
        return r.on_remove == removal_policy::retain;
  return false;
}

/// What this agent owns and the manifest does not name.
void plan_leftovers(device_planner_state& s) {
  std::set<resource_id> left;
  for (const auto& t : s.config.services->owned->all())
    left.insert(t.owner);
  for (const auto& r : s.config.wanted->resources)
    left.erase(r.id);
  for (const auto& r : s.config.wanted->rejected)
    left.erase(r.id);
  for (const auto& id : left)
    s.result.resources.push_back(plan_leaving(id, is_retained(s.config.in_force, id)));
}

void finish(self_pointer self) {
  auto& s = self->state;
  plan_leftovers(s);
  const auto text = write_answer(s.result);
  self->quit();
  answer(s.config.command, text);
}

void on_looked(self_pointer self, const operation_finished& what) {
  auto& s = self->state;
  auto& row = s.result.resources.at(what.operation);
  if (const auto* seen = std::get_if<observation>(&what.answer))
    row = seen->obstacle ? plan_blocked(row.id, *seen->obstacle) : plan_for(row.id, seen->changes);
  else if (const auto* why = std::get_if<failure>(&what.answer))
    row = plan_blocked(row.id, *why);
  if (--s.open == 0)
    finish(self);
}

} // namespace

device_planner_actor::behavior_type device_planner(self_pointer self,
                                                   device_planner_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  const auto& drivers = *s.config.services->drivers;
  for (const auto& r : s.config.wanted->resources) {
    s.result.resources.push_back(plan_for(r.id, {}));
    if (const auto no = drivers.why_not(r)) {
      s.result.resources.back() = plan_blocked(r.id, *no);
      continue;
    }
    ++s.open;
    look_at(self, r, s.result.resources.size() - 1);
  }
  for (const auto& r : s.config.wanted->rejected)
    s.result.resources.push_back(plan_blocked(r.id, {r.code, r.message}));
  if (s.open == 0)
    finish(self);
  return {[self](const operation_finished& what) { on_looked(self, what); }};
}

} // namespace harmony
