// What operators order. An order stands in the store until somebody takes it away.

#include <algorithm>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

namespace {

/// Whether it is over as soon as there is another primary.
bool moves_the_primary(const cluster_command& order) {
  return order.kind == command_kind::switchover || order.kind == command_kind::failover;
}

/// Whether it stands, where there is no holder, until there is one.
bool about_pause(const cluster_command& order) {
  return order.kind == command_kind::pause || order.kind == command_kind::resume;
}

} // namespace

void stepper::operator()(const ev::command& e) {
  if (s_.connection == 0)
    return;
  const bool known = std::any_of(s_.orders.begin(), s_.orders.end(),
                                 [&](const auto& o) { return o.what.id == e.what.id; });
  if (!known)
    s_.orders.push_back({e.what, now_});
}

void stepper::operator()(const ev::command_gone& e) {
  forget_orders([&](const cluster_command& order) { return order.id == e.id; });
}

template <class Which>
void stepper::forget_orders(Which which) {
  auto& all = s_.orders;
  all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& o) { return which(o.what); }),
            all.end());
}

/// The holder carries each out, or refuses it, but one that is for another member. One that nobody
/// took in time is refused: it must not act on a failover that its operator does not know of.
void stepper::tend_orders() {
  for (const auto& each : std::exchange(s_.orders, {})) {
    if (s_.at == phase::holding && !is_for_another(each.what))
      carry_out(each.what);
    else if (about_pause(each.what) || now_ - each.since < 3 * t_.window)
      s_.orders.push_back(each);
    else
      refuse_late(each.what);
  }
}

/// A reinit is its member's own; one of nobody's is refused by the holder.
bool stepper::is_for_another(const cluster_command& order) const {
  return order.kind == command_kind::reinit && order.to != c_.node
         && std::find(c_.members.begin(), c_.members.end(), order.to) != c_.members.end();
}

void stepper::refuse_late(const cluster_command& order) {
  emit(fx::consume{order.id});
  if (order.kind == command_kind::reinit)
    emit(fx::audit{"reinit-refused", "'" + order.to + "' did not begin it in time"});
  else
    emit(fx::audit{"failover-refused", std::string{text_of(s_.why_not)}});
}

void stepper::carry_out(const cluster_command& order) {
  emit(fx::consume{order.id});
  if (moves_the_primary(order))
    return switch_over(order);
  if (order.kind == command_kind::reinit) {
    emit(fx::audit{"reinit-refused", order.to == c_.node ? "'" + order.to + "' is the primary"
                                                         : "'" + order.to + "' is no member"});
    return;
  }
  s_.pause_wanted = order.kind == command_kind::pause;
  emit(fx::audit{s_.pause_wanted ? "failover-paused" : "failover-resumed", "by " + order.by});
}

/// Refused where nobody could take over at once: an operator's word stops no healthy primary for
/// nothing.
void stepper::switch_over(const cluster_command& order) {
  const auto refuse = [&](const std::string& why) { emit(fx::audit{"switchover-refused", why}); };
  if (s_.pause_wanted && order.to.empty())
    return refuse("failover is paused: name the member");
  const auto fit = [&](const peer& p) {
    const auto& b = p.beat;
    return alive(p) && b.electable && b.node != c_.node && b.role == member_role::standby
           && (c_.mode != sync_mode::async || b.received + c_.max_lag >= s_.pg->flushed);
  };
  const bool possible = s_.pg && std::any_of(s_.peers.begin(), s_.peers.end(), [&](const auto& p) {
                          return fit(p.second) && (order.to.empty() || p.first == order.to);
                        });
  if (!possible)
    return refuse((order.to.empty() ? "there is no member" : "'" + order.to + "' is not one")
                  + std::string{" that is alive, electable and close enough behind"});
  emit(fx::audit{"switchover", "to '" + order.to + "' by " + order.by});
  s_.handing_over = true;
  s_.successor = order.to;
}

/// A member's data go only where there is a primary to clone them from. What this marks is
/// damaged outlasts a restart; the rest is the way of all damaged data.
void stepper::tend_reinit(const lease_record& source) {
  const auto at = std::find_if(s_.orders.begin(), s_.orders.end(), [&](const auto& o) {
    return o.what.kind == command_kind::reinit && o.what.to == c_.node;
  });
  if (at == s_.orders.end() || !is_live_primary(source.holder))
    return;
  const auto order = at->what;
  s_.orders.erase(at);
  emit(fx::consume{order.id});
  if (!order.allow_data_loss && last_of_set(source.sync)) {
    emit(fx::audit{"reinit-refused", "no other synchronous member that is alive could take over"});
    return;
  }
  emit(fx::audit{"reinit", "by " + order.by});
  s_.kept.damaged = true;
  remember();
  beat_now();
}

/// Whether nobody could take over without what this member has.
bool stepper::last_of_set(const sync_set& sync) const {
  const auto& members = sync.members;
  if (sync.k == 0 || std::find(members.begin(), members.end(), c_.node) == members.end())
    return false;
  std::vector<candidate> others;
  for (const auto& [node, p] : s_.peers)
    if (node != c_.node && alive(p) && p.beat.electable && p.beat.role == member_role::standby)
      others.push_back({node, p.beat.priority, true, {}});
  return !covers(sync, others);
}

/// What was to move the primary is over: it has moved.
void stepper::primary_moved() {
  forget_orders(moves_the_primary);
}

/// The same, by this member.
void stepper::took_over() {
  for (const auto& each : s_.orders)
    if (moves_the_primary(each.what))
      emit(fx::consume{each.what.id});
  primary_moved();
}

/// The failover that this member was ordered. Without a name it is the best one's.
const cluster_command* stepper::ordered() const {
  const auto mine = [&](const standing_order& o) {
    const auto& to = o.what.to;
    return o.what.kind == command_kind::failover
           && (to.empty() ? c_.priority > 0 && (!s_.frozen || better_ones() == 0) : to == c_.node);
  };
  const auto at = std::find_if(s_.orders.begin(), s_.orders.end(), mine);
  return at == s_.orders.end() ? nullptr : &at->what;
}

bool stepper::overrides(refusal r) const {
  const auto* order = ordered();
  return order != nullptr && order->allow_data_loss && may_override(r);
}

/// What the newest record says, and what was ordered since.
bool stepper::paused() const {
  bool out = s_.kept.newest && s_.kept.newest->paused;
  for (const auto& each : s_.orders)
    if (about_pause(each.what))
      out = each.what.kind == command_kind::pause;
  return out;
}

/// An operator wants no failover. The last holder may come back, and who was named goes.
bool stepper::held_back() const {
  const auto& newest = s_.kept.newest;
  const bool came_back = newest && newest->holder == c_.node;
  const bool named = released_live() && s_.seen->record->successor == c_.node;
  return paused() && !came_back && !named && ordered() == nullptr;
}

} // namespace harmony::failover
