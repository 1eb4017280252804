// A node's agent, which carries out what the real machine asks for, and its guard.

#include <algorithm>

#include "sim/failover/world.hpp"

namespace harmony::failover::sim {

namespace {

constexpr moment look_period = 100 * millisecond;

/// Where a rule is broken on purpose: what the machine knows is changed behind its back.
void break_rules(broken what, node& n) {
  auto& m = n.state;
  if (what == broken::armed_release && m.lease)
    m.lease->sure = true;
  if (what == broken::kept_order)
    for (auto& each : m.orders)
      each.since = m.last_step.value_or(instant{});
  if (what == broken::half_record)
    m.replay_at = m.last_step.value_or(instant{});
  if (m.lease && m.lease->sequence)
    n.last_sequence = *m.lease->sequence;
  if (!m.seen)
    return;
  auto& seen = *m.seen;
  const auto& last = n.last_seen;
  if (what == broken::window && last && last->sequence == seen.sequence
      && last->record == seen.record)
    seen.since = std::min(seen.since, last->since);
  n.last_seen = seen;
  if (what == broken::found_release && seen.record && seen.record->state == lease_state::released
      && !m.lease) {
    seen.changed = true;
    m.kept.newest = seen.record; // whatever else is known
  }
  if (what == broken::kept_sequence && !m.lease && seen.sequence == n.last_sequence)
    seen.since -= n.settings.periods.window;
}

} // namespace

void world::start_agent(node& n) {
  if (!n.powered || n.agent_up)
    return;
  n.agent_up = true;
  n.agent_frozen = false;
  ++n.agent_life;
  n.inbox.clear();
  n.outbox.clear();
  n.operation_over = n.operation_newest = 0;
  n.last_seen.reset();
  const auto& newest = n.disk.newest;
  if (guard_live(n) && newest && newest->holder == n.settings.node
      && newest->epoch == n.guard_epoch) {
    note(n.settings.node + ": agent starts, and goes on");
    n.settings.incarnation = newest->incarnation;
    n.state = resume(n.disk, *newest, *n.deadline, n.clock.read(time_.now()));
  } else {
    note(n.settings.node + ": agent starts");
    n.settings.incarnation = n.settings.node + "-" + std::to_string(n.agent_life);
    n.state = begin(n.disk);
  }
  deliver(n, guard_of(n));
  look(n);
}

void world::deliver(node& n, event e) {
  if (!n.agent_up)
    return;
  if (n.agent_frozen)
    n.inbox.push_back(std::move(e));
  else
    take(n, e);
}

void world::take(node& n, const event& e) {
  if (o_.what == broken::kept_order && std::holds_alternative<ev::command_gone>(e))
    return;
  auto now = n.clock.read(time_.now());
  if (o_.what == broken::send_time && std::holds_alternative<ev::cas_done>(e) && n.state.request)
    n.state.request->sent = now;
  const auto phase_before = n.state.at;
  auto r = step(std::move(n.state), e, now, n.settings);
  n.state = std::move(r.state);
  break_rules(o_.what, n);
  if (n.state.at != phase_before)
    note(n.settings.node + ": " + std::string{word_of(n.state.at)});
  if (n.state.at != phase_before && n.state.at == phase::claiming)
    note_claim(n);
  if (r.actions.empty())
    return;
  n.outbox.push_back(std::move(r.actions));
  const auto delay =
    dice_.chance(1) ? dice_.between(10, 300) * millisecond : dice_.between(0, 2 * millisecond);
  time_.in(delay, [this, p = &n, life = n.agent_life] {
    if (p->agent_up && p->agent_life == life)
      pump(*p);
  });
}

/// Carries out one step's actions, in the order of the steps; a frozen agent does so later.
void world::pump(node& n) {
  if (n.agent_frozen || n.outbox.empty())
    return;
  const auto actions = std::move(n.outbox.front());
  n.outbox.pop_front();
  for (const auto& a : actions)
    perform(n, a);
}

void world::perform(node& n, const action& a) {
  if (const auto* remember = std::get_if<fx::remember>(&a)) {
    n.disk = remember->what;
  } else if (const auto* cas = std::get_if<fx::cas>(&a)) {
    if (n.connection != cas->connection)
      deliver(n, ev::request_failed{cas->request});
    else
      to_store(n, [this, p = &n, c = *cas] { apply_cas(*p, c); });
    if (n.stutters && n.state.at == phase::holding)
      stutter(n);
  } else if (const auto* read = std::get_if<fx::read>(&a)) {
    if (n.connection != read->connection)
      deliver(n, ev::request_failed{read->request});
    else
      to_store(n, [this, p = &n, number = read->request] {
        from_store(*p, ev::record_read{number, store_.sequence, store_.record});
      });
  } else if (const auto* guard = std::get_if<fx::arm_guard>(&a)) {
    arm(n, guard->deadline, guard->epoch);
  } else if (std::holds_alternative<fx::disarm_guard>(a)) {
    if (!n.pg.writable && !sick(n) && o_.what != broken::armed_release)
      n.deadline.reset();
  } else if (std::holds_alternative<fx::checkpoint>(a)) {
    time_.in(dice_.between(50, 800) * millisecond, [p = &n, life = n.pg.life] {
      if (p->pg.life == life && p->pg.writable)
        p->pg.checkpoint_timeline = p->pg.timeline;
    });
  } else if (const auto* beat = std::get_if<fx::publish_heartbeat>(&a)) {
    if (n.connection != 0)
      to_store(n, [this, b = beat->beat] {
        store_.beats[b.node] = b;
        for (auto& each : nodes_)
          if (each->connection != 0 && each->server_life == store_.life)
            from_store(*each, ev::heartbeat{each->connection, b});
      });
  } else if (const auto* done = std::get_if<fx::consume>(&a)) {
    to_store(n, [this, id = done->command] { take_away(id); });
  } else if (const auto* w = std::get_if<fx::wake>(&a)) {
    time_.at(n.clock.when(w->at), [this, p = &n, number = ++n.wake, life = n.agent_life] {
      if (p->agent_life == life && p->wake == number)
        deliver(*p, ev::tick{});
    });
  } else {
    operate(n, a);
  }
}

/// It knows for a moment only of an order that was taken back.
void world::note_claim(node& n) {
  n.forced = !n.state.ordered_by.empty();
  if (!n.forced)
    return;
  ++counted_.forced;
  const auto gone = taken_away_.find(n.state.ordered_by);
  if (gone != taken_away_.end() && time_.now() > gone->second + 5 * second)
    fail(n.settings.node + " takes over by order " + gone->first + ", which stands no more");
}

bool world::guard_live(const node& n) const {
  return n.deadline && n.clock.read(time_.now()) < *n.deadline - n.settings.periods.kill;
}

/// The guard kills in time, whatever the agent does.
void world::arm(node& n, instant deadline, std::uint64_t epoch) {
  if (sick(n) || epoch < n.guard_epoch)
    return;
  n.deadline = n.deadline ? std::max(*n.deadline, deadline) : deadline;
  n.guard_epoch = epoch;
  deliver(n, guard_of(n));
  if (o_.what == broken::guard || o_.what == broken::frozen_promise)
    return;
  const auto kill = *n.deadline - n.settings.periods.kill;
  time_.at(n.clock.when(kill), [this, p = &n, d = *n.deadline] {
    if (p->deadline != d || !p->pg.writable)
      return;
    const auto longest =
      std::chrono::duration_cast<std::chrono::nanoseconds>(p->settings.periods.kill).count();
    time_.in(dice_.between(10 * millisecond, longest * 9 / 10), [this, p, d, life = p->pg.life] {
      if (p->deadline != d || p->pg.life != life)
        return;
      ++counted_.guard_kills;
      kill_postgres(*p, "its guard's deadline");
    });
  });
}

/// What a look finds, now, soon, and again and again.
void world::look(node& n) {
  if (!n.agent_frozen) {
    if (!n.pg.frozen)
      time_.in(dice_.between(1, 10) * millisecond,
               [this, p = &n, life = n.agent_life, is = seen(n)] {
                 if (p->agent_life == life)
                   deliver(*p, ev::observed{is});
               });
    deliver(n, guard_of(n));
  }
  time_.in(look_period, [this, p = &n, life = n.agent_life] {
    if (p->agent_up && p->agent_life == life)
      look(*p);
  });
}

/// `effect` happens after `delay`, whatever has become of the agent meanwhile.
void world::over(node& n, std::uint64_t operation, moment delay, std::function<bool()> effect) {
  n.operation_newest = std::max(n.operation_newest, operation);
  time_.in(delay, [this, p = &n, operation, life = n.agent_life, f = std::move(effect)] {
    const bool ok = f();
    check_writable();
    if (!p->agent_up || p->agent_life != life)
      return;
    p->operation_over = std::max(p->operation_over, operation);
    deliver(*p, ev::operation_done{operation, ok, ok ? "" : "it failed"});
    deliver(*p, ev::observed{seen(*p)});
  });
}

} // namespace harmony::failover::sim
