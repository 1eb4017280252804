#include "reconcilers/network.hpp"

#include <algorithm>
#include <utility>

#include "reconcilers/op_limits.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "topology/network_address.hpp"

namespace harmony {

namespace {

/// All changes of the network take this one turn.
constexpr const char* whole_network = "the network";

std::vector<std::string> members_of(const std::string& bridge, const network_snapshot& all) {
  std::vector<std::string> members;
  for (const auto& [name, facts] : all)
    if (facts.master == bridge)
      members.push_back(name);
  return members;
}

std::optional<link_facts> find(const network_snapshot& all, const std::string& link) {
  const auto found = all.find(link);
  return found == all.end() ? std::nullopt : std::optional{found->second};
}

/// The goal that a spec declares; what the record owns beyond it is surplus. Fails with
/// invalid_spec.
outcome<network_goal> goal_of(const network_spec& spec, const network_own& own) {
  network_goal goal;
  goal.link = spec.link;
  if (spec.type != link_type::physical)
    goal.made = new_link{spec.link, made_kind(spec.type), spec.parent, spec.vlan_id};
  goal.up = spec.state == link_state::up;
  goal.mtu = spec.mtu;
  goal.members = spec.members;
  goal.surplus_members = without(own.members, spec.members);
  for (const auto& text : spec.addresses) {
    auto address = canonical_address(text);
    if (!address)
      return address.error();
    goal.addresses.push_back(std::move(*address));
  }
  std::vector<network_route> routes;
  for (const auto& each : spec.routes) {
    auto route = canonical_route(each);
    if (!route)
      return route.error();
    routes.push_back(std::move(*route));
  }
  goal.surplus_addresses = without(own.addresses, goal.addresses);
  goal.surplus_routes = without(own.routes, routes);
  if (!*goal.up) {
    goal.addresses.clear();
    return goal;
  }
  for (auto& r : routes)
    goal.routes.push_back({std::move(r)});
  return goal;
}

/// What the agent owns once the goal is reached: what it owned, and what is missing now.
network_own grown(const network_own& own, const network_goal& goal, const network_observed& seen) {
  const bool fresh = !seen.link || (goal.made && is_other(*seen.link, *goal.made));
  std::vector<network_route> routes;
  for (const auto& r : goal.routes)
    routes.push_back(r.route);
  if (fresh)
    return {united(own.addresses, goal.addresses), united(own.routes, routes),
            united(own.members, goal.members)};
  return {united(own.addresses, without(goal.addresses, address_texts(*seen.link, false))),
          united(own.routes, without(routes, plain_routes(*seen.link))),
          united(own.members, without(goal.members, seen.members))};
}

bool touches_kernel(const std::vector<change>& todo) {
  return std::any_of(todo.begin(), todo.end(),
                     [](const change& c) { return c.field != "bootFile"; });
}

/// Makes the link. Where only the answer was lost, what is there counts.
outcome<void> make(network_port& network, const new_link& what) {
  auto done = network.make_link(what);
  if (done || done.error().code == ec::name_conflict)
    return done;
  const auto all = network.snapshot();
  const auto now = all ? find(*all, what.name) : std::nullopt;
  return now && !is_other(*now, what) ? outcome<void>{} : done;
}

/// Another link whose change waits to be confirmed; empty: none.
std::string other_on_trial(const resource_id& id, const op_context& ctx) {
  for (const auto& t : ctx.owned.all())
    if (t.owner.kind == "Network" && t.owner != id && from_note(t.note).trial)
      return t.target;
  return {};
}

} // namespace

outcome<network_observed> network_operations::observe(const desired<network_spec>& want,
                                                      op_context& ctx) {
  network_observed seen;
  const auto& spec = want.spec;
  if (const auto record = ctx.owned.find(want.id, spec.link)) {
    seen.recorded = true;
    seen.created = record->created;
    seen.record = from_note(record->note);
  }
  const auto all = network_.snapshot();
  if (!all)
    return all.error();
  seen.link = find(*all, spec.link);
  seen.members = members_of(spec.link, *all);
  for (const auto& name : spec.members)
    seen.others[name] = find(*all, name);
  if (spec.type == link_type::vlan)
    seen.others[spec.parent] = find(*all, spec.parent);
  // Of a link that is as declared without this agent's doing, somebody else takes care at boot.
  const bool valid = goal_of(spec, {}).ok();
  auto boot = files_.look(spec.link, seen.recorded && valid ? &spec : nullptr,
                          unit_marker(ctx.agent, want.id));
  if (!boot)
    return boot.error();
  seen.boot = std::move(*boot);
  return seen;
}

outcome<void> network_operations::apply(const desired<network_spec>& want, op_context& ctx) {
  const auto turn = turns_.take(whole_network, limits_of(ctx));
  if (!turn)
    return turn.error();
  // Looked at anew: the plan may be older than what is there now.
  auto seen = observe(want, ctx);
  if (!seen)
    return seen.error();
  if (seen->record.trial) {
    if (auto done = settle(want.id, want.spec.link, ctx); !done)
      return done;
    seen = observe(want, ctx);
    if (!seen)
      return seen.error();
  }
  const auto todo = plan(want, *seen);
  if (!todo)
    return todo.error();
  if (touches_kernel(*todo))
    if (auto done = change_link(want, *seen, *todo, ctx); !done)
      return done;
  if (auto done = forget_surplus(want, ctx); !done)
    return done;
  // Only what was confirmed may come back at the next boot.
  const auto after = observe(want, ctx);
  if (!after)
    return after.error();
  return network_boot_files::put(after->boot);
}

outcome<void> network_operations::change_link(const desired<network_spec>& want,
                                              const network_observed& seen,
                                              const std::vector<change>& todo, op_context& ctx) {
  const auto& spec = want.spec;
  const auto goal = goal_of(spec, seen.record.own);
  if (!goal)
    return goal.error();
  auto record = seen.record;
  record.own = grown(seen.record.own, *goal, seen);
  if (goal->made)
    record.kind = goal->made->kind;
  if (spec.confirm > 0) {
    if (ask(config_.question, ctx)) {
      record.trial = network_trial{
        config_.clock.boot(), config_.clock.now() + std::chrono::seconds{spec.confirm},
        describe(todo),       seen.link,
        seen.members,         seen.record.own,
        seen.recorded};
    } else if (const auto other = other_on_trial(want.id, ctx); !other.empty()) {
      return {ec::network_failed, "a change of '" + other
                                    + "' waits to be confirmed or undone; this one comes after it"};
    }
  }
  if (auto claimed = claim(want.id, spec.link, record, ctx); !claimed)
    return claimed;
  if (!seen.link && goal->made)
    if (auto made = make(network_, *goal->made); !made) {
      // A claim on what this agent did not make would turn somebody's link into the agent's.
      if (!seen.recorded)
        (void)ctx.owned.release(want.id, spec.link);
      else
        (void)claim(want.id, spec.link, seen.record, ctx);
      return made;
    }
  auto done = achieve(network_, *goal);
  if (!record.trial)
    return done;
  if (done)
    return settle(want.id, spec.link, ctx);
  if (auto undone = undo(want.id, spec.link, record, ctx); !undone)
    return undone;
  return {done.error().code, done.error().message + "; the rest of the change was undone"};
}

outcome<void> network_operations::claim(const resource_id& id, const std::string& link,
                                        const network_record& record, op_context& ctx) {
  const owned_target next{id, link, !record.kind.empty(), to_note(record)};
  return ctx.owned.find(id, link) == next ? outcome<void>{} : ctx.owned.claim(next);
}

/// What the agent owned and no longer wants is gone by now.
outcome<void> network_operations::forget_surplus(const desired<network_spec>& want,
                                                 op_context& ctx) {
  const auto owned = ctx.owned.find(want.id, want.spec.link);
  if (!owned)
    return {};
  auto record = from_note(owned->note);
  const auto goal = goal_of(want.spec, record.own);
  if (!goal)
    return goal.error();
  record.own.addresses = without(record.own.addresses, goal->surplus_addresses);
  record.own.routes = without(record.own.routes, goal->surplus_routes);
  record.own.members = without(record.own.members, goal->surplus_members);
  return claim(want.id, want.spec.link, record, ctx);
}

outcome<void> network_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto known = ctx.owned.find(owned.owner, owned.target);
  if (!known)
    return {};
  const auto turn = turns_.take(whole_network, limits_of(ctx));
  if (!turn)
    return turn.error();
  const auto& link = owned.target;
  const auto record = from_note(known->note);
  const auto files = files_.look(link, nullptr, unit_marker(ctx.agent, owned.owner));
  if (!files)
    return files.error();
  if (auto done = network_boot_files::put(*files); !done)
    return done;
  const auto all = network_.snapshot();
  if (!all)
    return all.error();
  const auto now = find(*all, link);
  if (now && !record.kind.empty()) {
    // One of another kind is somebody else's by now.
    if (now->kind == record.kind)
      if (auto gone = network_.delete_link(link); !gone)
        return gone;
  } else if (now) {
    network_goal goal;
    goal.link = link;
    goal.surplus_addresses = record.own.addresses;
    goal.surplus_routes = record.own.routes;
    if (auto done = achieve(network_, goal); !done && done.error().code != ec::link_not_found)
      return done;
  }
  return ctx.owned.release(owned.owner, link);
}

} // namespace harmony
