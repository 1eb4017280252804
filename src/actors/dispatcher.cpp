#include "actors/dispatcher.hpp"

#include <algorithm>
#include <unordered_set>

#include <spdlog/spdlog.h>

#include "actors/dispatcher_facts.hpp"
#include "actors/dispatcher_work.hpp"
#include "core/diff.hpp"

namespace harmony {

namespace {

using self_pointer = dispatcher_actor::stateful_pointer<dispatcher_state>;
using targets_map = std::unordered_map<std::string, resource_id>;

dispatched& ensure(self_pointer self, const resource_id& id) {
  auto& s = self->state;
  auto [it, fresh] = s.resources.try_emplace(id);
  if (fresh)
    it->second.supervisor = self->spawn(supervisor, supervisor_config{id, s.config.services, self});
  return it->second;
}

// --- a manifest comes
// -----------------------------------------------------------------------------

/// Notes the new desires first, so that a changed prerequisite counts as not ready for all.
void note_desires(self_pointer self, const expectation& expected) {
  auto& s = self->state;
  for (const auto& r : s.current->resources) {
    auto& d = ensure(self, r.id);
    if (d.leaving)
      continue;
    const auto& desire = expected.desires.at(r.id);
    d.desire = desire;
    d.retain = r.on_remove == removal_policy::retain;
    d.after.clear();
    for (const auto& each : s.graph.prerequisites(r.id))
      d.after.push_back(each.id);
    if (const auto* driver = s.config.services->drivers->find(r.id.kind))
      d.target = driver->target(r);
  }
}

// --- what is fetched ahead
// ------------------------------------------------------------------------

std::string fetch_key(const resource_id& id) {
  return "fetch " + id.str();
}

/// Begins to fetch what `r` will need, where its desire is new.
void start_fetch(self_pointer self, const resource& r, const std::string& restart) {
  auto& s = self->state;
  const auto& services = s.config.services;
  auto* driver = services->drivers->find(r.id.kind);
  if (services->drivers->why_not(r) || !driver->fetches(r))
    return;
  s.fetching.emplace(++s.fetches, r.id);
  self->send(services->lanes.at(driver->runtime()),
             run_operation{dispatcher_actor{self}, s.fetches, operation_kind::none, fetch_key(r.id),
                           services->limits.fetch,
                           fetch_ahead(services, *driver, {r.id, r.spec, r.revision, restart})});
}

/// A newer manifest came: what was fetched for the one before is of no use.
void stop_fetching(self_pointer self) {
  auto& s = self->state;
  for (const auto& [operation, id] : std::exchange(s.fetching, {}))
    if (auto* driver = s.config.services->drivers->find(id.kind))
      self->send(s.config.services->lanes.at(driver->runtime()),
                 cancel_operation{fetch_key(id), operation});
}

void send_desire(self_pointer self, const resource& r) {
  auto& s = self->state;
  if (is_held(s, r.id))
    return;
  auto& d = s.resources.at(r.id);
  d.needs = needs_of(s, r.id);
  d.told = d.desire;
  self->send(d.supervisor,
             desired_changed{{s.current, &r}, d.desire, restart_stamp(*s.current, r), d.needs});
}

void send_desires(self_pointer self) {
  auto& s = self->state;
  for (const auto& r : s.current->resources)
    if (!s.resources.at(r.id).leaving)
      send_desire(self, r);
  for (const auto& r : s.current->rejected) {
    auto& d = ensure(self, r.id);
    if (d.leaving)
      continue;
    d.desire.clear();
    self->send(d.supervisor, desire_rejected{{r.code, r.message}, r.origin});
  }
}

// --- what left
// ------------------------------------------------------------------------------------

/// Things that this agent owns and that no supervisor knows: it was stopped before they were
/// removed.
void adopt_leftovers(self_pointer self, const expectation& expected,
                     const std::set<resource_id>& retained) {
  auto& s = self->state;
  std::vector<owned_target> left;
  for (auto& t : s.config.services->owned->all())
    if (expected.desires.count(t.owner) == 0 && s.resources.count(t.owner) == 0)
      left.push_back(std::move(t));
  for (const auto& t : left) {
    auto& d = ensure(self, t.owner);
    d.target = t.target;
    d.retain = retained.count(t.owner) != 0;
  }
}

/// Has the drivers of a runtime, or of all, look for what is the agent's own and on no record.
void start_search(self_pointer self, search_for search, std::optional<runtime_kind> in = {}) {
  auto& s = self->state;
  const auto& services = s.config.services;
  const auto named = std::make_shared<target_set>();
  for (const auto& [id, d] : s.resources)
    if (!d.leaving)
      named->emplace(id, d.target);
  for (const auto& [kind, driver] : services->drivers->drivers) {
    if (in && driver->runtime() != *in)
      continue;
    s.searches.insert(++s.fetches);
    self->send(services->lanes.at(driver->runtime()),
               run_operation{dispatcher_actor{self}, s.fetches, operation_kind::none,
                             "marks of " + kind, services->limits.observe,
                             take_back(services, driver, search, named)});
  }
}

/// After the records were lost: looks once, at the first manifest, for what has left it.
void search_marked(self_pointer self) {
  auto& s = self->state;
  if (s.config.state->rebuilding() && !std::exchange(s.searched, true))
    start_search(self, &driver::marked);
}

/// Only once a manifest says what is wanted.
void on_stray(self_pointer self, stray_seen what) {
  const auto& s = self->state;
  if (s.current && s.searches.empty())
    start_search(self, &driver::strays, what.runtime);
}

void mark_leaving(self_pointer self, const expectation& expected) {
  auto& s = self->state;
  for (auto& [id, d] : s.resources) {
    if (d.leaving || expected.desires.count(id) != 0)
      continue;
    d.leaving = true;
    d.desire.clear();
    spdlog::info("resource '{}' left the manifest", id.str());
  }
}

/// Removes what left, but not before what came after it and what lies in it.
void start_removals(self_pointer self) {
  auto& s = self->state;
  auto needed = folders_in_use(s);
  s.folders_wait = !needed.empty();
  for (const auto& [id, d] : s.resources)
    if (d.leaving)
      needed.insert(d.after.begin(), d.after.end());
  for (auto& [id, d] : s.resources) {
    if (!d.leaving || d.removal_sent || needed.count(id) != 0 || is_held(s, id))
      continue;
    d.removal_sent = true;
    self->send(d.supervisor, removal_requested{d.retain});
  }
}

// --- observers
// ------------------------------------------------------------------------------------

void send_targets(self_pointer self) {
  auto& s = self->state;
  std::map<runtime_kind, std::shared_ptr<targets_map>> by_runtime;
  for (const auto& [runtime, observer] : s.observers)
    by_runtime[runtime] = std::make_shared<targets_map>();
  // What leaves is one as long as it is there, but not instead of what takes over its target.
  for (const bool leaving : {false, true})
    for (const auto& [id, d] : s.resources) {
      const auto* driver = s.config.services->drivers->find(id.kind);
      if (driver == nullptr || d.leaving != leaving || (!leaving && d.desire.empty()))
        continue;
      if (const auto it = by_runtime.find(driver->runtime()); it != by_runtime.end())
        it->second->emplace(d.target, id);
    }
  for (auto& [runtime, targets] : by_runtime)
    self->send(s.observers.at(runtime), targets_changed{std::move(targets)});
}

/// What was taken back and is in no manifest leaves.
void let_leave(self_pointer self) {
  const auto& s = self->state;
  const auto expected = expected_of(*s.current);
  adopt_leftovers(self, *expected, {});
  mark_leaving(self, *expected);
  if (s.searches.empty())
    self->send(s.config.aggregator, search_ended{known_ids(s)});
  start_removals(self);
}

/// The resource may be wanted again after its removal.
void come_back(self_pointer self, const resource_id& id) {
  const auto& all = self->state.current->resources;
  const auto it =
    std::find_if(all.begin(), all.end(), [&](const resource& r) { return r.id == id; });
  if (it == all.end())
    return;
  note_desires(self, *expected_of(*self->state.current));
  send_desire(self, *it);
}

/// A supervisor finished a removal.
void on_removed(self_pointer self, const resource_id& id) {
  auto& s = self->state;
  s.resources.erase(id);
  self->send(s.config.aggregator, resource_forgotten{id});
  if (s.current && !s.config.services->owned->of(id).empty())
    let_leave(self); // a stray of it was taken back meanwhile
  else
    start_removals(self);
  if (s.current)
    come_back(self, id);
  if (std::none_of(s.resources.begin(), s.resources.end(),
                   [](const auto& each) { return each.second.leaving; }))
    send_targets(self);
}

// --- handlers
// -------------------------------------------------------------------------------------

void on_accepted(self_pointer self, manifest_accepted& what) {
  auto& s = self->state;
  const auto change = diff(s.current.get(), *what.what);
  spdlog::info("generation '{}' is in force: {} to create, {} to update, {} kept, {} to remove, "
               "{} rejected",
               what.what->metadata.generation, change.create.size(), change.update.size(),
               change.keep.size(), change.remove.size(), what.what->rejected.size());
  s.current = std::move(what.what);
  s.graph = resource_graph{*s.current};
  const auto expected = expected_of(*s.current);
  expected->progress_deadline = what.progress_deadline;
  expected->instead_of = std::move(what.instead_of);
  adopt_leftovers(self, *expected, what.retained);
  const auto before = known_ids(s);
  for (const auto& id : before)
    if (expected->desires.count(id) == 0)
      expected->leaving.push_back(id);
  expected->searching = s.config.state->rebuilding() && (!s.searched || !s.searches.empty());
  self->send(s.config.aggregator, expectation_changed{expected});
  stop_fetching(self);
  s.neighbours = {};
  connect_neighbours(s);
  const auto fresh = new_desires(s, *expected);
  note_desires(self, *expected);
  connect_neighbours(s);
  mark_leaving(self, *expected);
  // Where nothing is in place yet, there is nothing to keep running meanwhile.
  std::unordered_set<resource_id> in_place;
  for (const auto& [id, d] : s.resources)
    if (d.leaving || !d.told.empty())
      in_place.insert(s.neighbours.group_of(id));
  for (const auto* r : fresh)
    if (in_place.count(s.neighbours.group_of(r->id)) != 0)
      start_fetch(self, *r, restart_stamp(*s.current, *r));
  send_desires(self);
  start_removals(self);
  send_targets(self);
  search_marked(self);
}

void on_searched(self_pointer self, const operation_finished& what) {
  if (const auto* why = std::get_if<failure>(&what.answer))
    spdlog::warn("what bears this agent's mark could not be looked for: {}: {}",
                 reason_of(why->code), why->message);
  let_leave(self);
}

/// Something was fetched, or could not be; its apply will say why.
void on_fetched(self_pointer self, const operation_finished& what) {
  auto& s = self->state;
  const auto it = s.fetching.find(what.operation);
  if (it == s.fetching.end())
    return;
  if (const auto* why = std::get_if<failure>(&what.answer))
    spdlog::warn("resource '{}': what it needs could not be fetched ahead: {}: {}",
                 it->second.str(), reason_of(why->code), why->message);
  const auto fetched = it->second;
  s.fetching.erase(it);
  for (const auto& r : s.current->resources)
    if (s.neighbours.connected(r.id, fetched) && !s.resources.at(r.id).leaving)
      send_desire(self, r);
  start_removals(self);
}

void on_reported(self_pointer self, resource_reported& what) {
  auto& s = self->state;
  const auto it = s.resources.find(what.id);
  if (it == s.resources.end())
    return;
  if (what.status.phase == resource_phase::removed) {
    on_removed(self, what.id);
    return;
  }
  auto& d = it->second;
  const auto reach = [&d] {
    return std::pair{d.has_reached(dependency_condition::applied),
                     d.has_reached(dependency_condition::ready)};
  };
  const auto before = reach();
  d.reported = what.desire;
  d.phase = what.status.phase;
  if (reach() != before)
    for (const auto& id : s.graph.dependents(what.id)) {
      const auto dependent = s.resources.find(id);
      if (dependent == s.resources.end() || dependent->second.leaving)
        continue;
      auto needs = needs_of(s, id);
      if (needs == dependent->second.needs)
        continue;
      dependent->second.needs = needs;
      self->send(dependent->second.supervisor, dependencies_changed{std::move(needs)});
    }
  if (s.folders_wait && reach() != before)
    start_removals(self);
  self->send(s.config.aggregator, std::move(what));
}

caf::result<restart_answered> on_restart(self_pointer self, restart_asked& what) {
  const auto& all = self->state.resources;
  const auto it = all.find(what.id);
  if (it == all.end())
    return restart_answered{
      failure{ec::not_found, "no resource '" + what.id.str() + "' on this device"}};
  return self->delegate(it->second.supervisor, std::move(what));
}

} // namespace

dispatcher_actor::behavior_type dispatcher(self_pointer self, dispatcher_config config) {
  self->state.config = std::move(config);
  return {
    [](const roll_call& call) { ++*call.present; },
    [self](observer_joined& who) {
      self->state.observers[who.runtime] = std::move(who.observer);
      send_targets(self);
    },
    [self](manifest_accepted& what) { on_accepted(self, what); },
    [self](manifest_refused& what) { self->send(self->state.config.aggregator, std::move(what)); },
    [self](manifest_confirmed what) { self->send(self->state.config.aggregator, what); },
    [self](resource_reported& what) { on_reported(self, what); },
    [self](const operation_finished& what) {
      if (self->state.searches.erase(what.operation) > 0)
        on_searched(self, what);
      else
        on_fetched(self, what);
    },
    [self](const resource_touched& what) {
      const auto it = self->state.resources.find(what.id);
      if (it != self->state.resources.end())
        self->send(it->second.supervisor, runtime_observed{});
    },
    [self](stray_seen what) { on_stray(self, what); },
    [self](observer_standing& what) { self->send(self->state.config.aggregator, std::move(what)); },
    [self](hold_changed) {
      for (const auto& [id, d] : self->state.resources)
        self->send(d.supervisor, hold_changed{});
    },
    [self](restart_asked& what) { return on_restart(self, what); },
    [self](resync_requested) {
      const auto& s = self->state;
      for (const auto& [id, d] : s.resources)
        self->send(d.supervisor, runtime_observed{});
      for (const auto& [runtime, observer] : s.observers)
        self->send(observer, runtime_hinted{});
    },
    [self](manifest_asked) { return manifest_told{self->state.current}; },
    [self](stop_requested) {
      stop_fetching(self);
      for (const auto& [id, d] : self->state.resources)
        self->send(d.supervisor, stop_requested{});
      self->quit();
    },
  };
}

} // namespace harmony
