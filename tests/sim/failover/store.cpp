// The simulated store: like NATS, a CAS on one key, a watch, connections that break. Requests come
// late, answers get lost, and a restart may have forgotten what was acknowledged.

#include "sim/failover/world.hpp"

namespace harmony::failover::sim {

namespace {

constexpr moment retransmission = 100 * millisecond;

} // namespace

/// Looks after a node's connection as a client library does.
void world::link(node& n) {
  time_.in(dice_.between(50, 150) * millisecond, [this, p = &n] {
    if (!p->powered)
      return;
    if (p->agent_up && !p->agent_frozen && p->connection == 0 && store_.up && !store_.frozen
        && !p->cut) {
      p->connection = ++connections_;
      p->server_life = store_.life;
      p->heard_until = p->sent_until = time_.now();
      deliver(*p, ev::connected{p->connection, std::to_string(store_.life)});
      from_store(*p, ev::record_seen{p->connection, store_.sequence, store_.record});
      for (const auto& [name, beat] : store_.beats)
        from_store(*p, ev::heartbeat{p->connection, beat});
      for (const auto& [id, order] : store_.commands)
        from_store(*p, ev::command{order});
    }
    link(*p);
  });
}

void world::disconnect(node& n) {
  if (n.connection == 0)
    return;
  n.connection = 0;
  deliver(n, ev::disconnected{});
}

void world::to_store(node& n, std::function<void()> what) {
  const auto delay = !peace_ && dice_.chance(2) ? dice_.between(100, 1500) : dice_.between(1, 4);
  n.sent_until = std::max(n.sent_until, time_.now() + delay * millisecond);
  time_.at(n.sent_until,
           [this, p = &n, connection = n.connection, life = n.server_life,
            w = std::move(what)]() mutable { arrive(p, connection, life, std::move(w)); });
}

/// What is under way when the client gives its connection up may have arrived all the same.
void world::arrive(node* n, std::uint64_t connection, std::uint64_t life,
                   std::function<void()> what) {
  if (!store_.up || store_.life != life)
    return;
  if (n->connection != connection && dice_.chance(50))
    return;
  if ((n->cut && n->connection == connection) || store_.frozen) {
    time_.in(retransmission, [this, n, connection, life, w = std::move(what)]() mutable {
      arrive(n, connection, life, std::move(w));
    });
    return;
  }
  what();
}

void world::from_store(node& n, event e) {
  const auto delay = !peace_ && dice_.chance(2) ? dice_.between(100, 1000) : dice_.between(1, 4);
  n.heard_until = std::max(n.heard_until, time_.now() + delay * millisecond);
  time_.at(n.heard_until, [this, p = &n, connection = n.connection, m = std::move(e)]() mutable {
    come(p, connection, std::move(m), false);
  });
}

/// In order: what comes while others wait for the link waits behind them.
void world::come(node* n, std::uint64_t connection, event e, bool again) {
  const auto waits = n->connection == connection && (n->cut || (!again && n->waiting > 0));
  if (again != waits)
    waits ? ++n->waiting : --n->waiting;
  if (waits) {
    time_.at((time_.now() / retransmission + 1) * retransmission,
             [this, n, connection, m = std::move(e)]() mutable {
               come(n, connection, std::move(m), true);
             });
  } else if (n->connection == connection) {
    deliver(*n, std::move(e));
  }
}

void world::apply_cas(node& n, const fx::cas& c) {
  const bool answered = peace_ || !dice_.chance(1);
  if (c.expected != store_.sequence) {
    if (answered)
      from_store(n, ev::cas_wrong_sequence{c.request});
    return;
  }
  keep_past();
  if (!store_.record || store_.record->epoch != c.record.epoch
      || store_.record->state != c.record.state)
    note("record: epoch " + std::to_string(c.record.epoch) + " of " + c.record.holder + ", state "
         + std::to_string(static_cast<int>(c.record.state)));
  if (c.record.state == lease_state::released)
    ++counted_.releases;
  ++store_.sequence;
  store_.record = c.record;
  if (answered)
    from_store(n, ev::cas_done{c.request, store_.sequence});
  for (auto& each : nodes_)
    if (each->connection != 0 && each->server_life == store_.life)
      from_store(*each, ev::record_seen{each->connection, store_.sequence, store_.record});
}

void world::keep_past() {
  store_.past.push_back({time_.now(), store_.sequence, store_.record, store_.beats});
  while (store_.past.front().when < time_.now() - 20 * second)
    store_.past.pop_front();
}

/// How much must be forgotten for the record to be as it was before it last changed hands, or
/// state: where a memory that goes back hurts most.
moment world::turning_point() {
  const auto differs = [](const auto& a, const auto& b) {
    return a.has_value() != b.has_value()
           || (a && (a->epoch != b->epoch || a->state != b->state || a->sync != b->sync));
  };
  std::vector<moment> found;
  for (std::size_t i = 0; i + 1 < store_.past.size(); ++i)
    if (differs(store_.past[i].record, store_.past[i + 1].record))
      found.push_back(store_.past[i + 1].when);
  return found.empty() ? 0 : time_.now() - found[dice_.below(found.size())] + 1;
}

void world::store_restart(moment down, moment forget) {
  note("store restarts, down " + std::to_string(down / millisecond) + " ms, forgets "
       + std::to_string(forget / millisecond) + " ms");
  store_.up = false;
  ++store_.life;
  if (forget > 0)
    ++counted_.rollbacks;
  while (!store_.past.empty() && store_.past.back().when > time_.now() - forget) {
    store_.sequence = store_.past.back().sequence;
    store_.record = store_.past.back().record;
    store_.beats = store_.past.back().beats;
    store_.past.pop_back();
  }
  for (auto& n : nodes_)
    time_.in(dice_.between(1, 20) * millisecond, [this, p = n.get(), c = n->connection] {
      if (p->connection == c)
        disconnect(*p);
    });
  time_.in(down, [this] { store_.up = true; });
}

} // namespace harmony::failover::sim
