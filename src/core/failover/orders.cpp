// What operators order. An order stands in the store until somebody takes it away.

#include <algorithm>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

namespace {

/// Whether it is over as soon as there is another primary.
bool moves_the_primary(const cluster_command& order) {
  return order.kind == command_kind::switchover || order.kind == command_kind::failover;
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

/// The holder carries each out, or refuses it. One that nobody took in time is refused: it must not
/// act on a failover that its operator does not know of.
void stepper::tend_orders() {
  if (s_.at == phase::holding) {
    for (const auto& each : std::exchange(s_.orders, {}))
      carry_out(each.what);
    return;
  }
  const auto late = std::stable_partition(s_.orders.begin(), s_.orders.end(), [&](const auto& o) {
    return !moves_the_primary(o.what) || now_ - o.since < 3 * t_.window;
  });
  std::for_each(late, s_.orders.end(), [&](const auto& o) {
    emit(fx::audit{"failover-refused", std::string{text_of(s_.why_not)}});
    emit(fx::consume{o.what.id});
  });
  s_.orders.erase(late, s_.orders.end());
}

void stepper::carry_out(const cluster_command& order) {
  emit(fx::consume{order.id});
  if (moves_the_primary(order))
    return switch_over(order);
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
    if (!moves_the_primary(each.what))
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
