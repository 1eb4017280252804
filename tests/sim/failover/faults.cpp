// What goes wrong: frozen and killed agents, dead PostgreSQL, power cuts, partitions, a store that
// restarts, hangs or forgets, and an operator.

#include <algorithm>

#include "core/failover/election.hpp"
#include "sim/failover/world.hpp"

namespace harmony::failover::sim {

/// Each history has some kinds of faults and not the others, rarely or often: what takes three of
/// one kind in a row would hardly be met in an even mixture of all (swarm testing, Groce 2012).
void world::choose_faults() {
  faults_ = o_.only;
  if (faults_.empty())
    for (int f = 0; f < fault_kinds; ++f)
      if (dice_.chance(40))
        faults_.push_back(static_cast<fault>(f));
  // Where only the reports fence the old primary, whoever goes over them loses what it still does.
  if (o_.two_may_write)
    faults_.erase(std::remove(faults_.begin(), faults_.end(), fault::operator_forces),
                  faults_.end());
  if (faults_.empty())
    faults_.push_back(fault::power_cut);
  pace_ = dice_.between(300, 3000) * millisecond;
}

void world::disturb() {
  if (peace_)
    return;
  disturb(*nodes_[dice_.below(nodes_.size())], faults_[dice_.below(faults_.size())]);
  time_.in(dice_.between(10 * millisecond, pace_), [this] { disturb(); });
}

void world::disturb(node& n, fault kind) {
  const auto ms = [this](moment low, moment high) {
    return dice_.between(low, high) * millisecond;
  };
  switch (kind) {
  case fault::freeze_agent: return freeze_agent(n, false, ms(200, 8000));
  case fault::freeze_both: return freeze_agent(n, true, ms(200, 8000));
  case fault::kill_agent: return kill_agent(n, ms(100, 4000));
  case fault::kill_postgres: return kill_postgres(n, "killed");
  case fault::power_cut: return power_cut(n, ms(1000, 8000));
  case fault::slow_standby: n.pg.slow_until = time_.now() + ms(1000, 8000); return;
  case fault::isolate: cut_peers(n); return cut_store(n, ms(100, 8000));
  case fault::cut_store: return cut_store(n, ms(100, 8000));
  case fault::cut_peers: return cut_peers(n);
  case fault::stutter: n.stutters = true; return;
  case fault::operator_acts:
    if (dice_.chance(20))
      return command(command_kind::reinit);
    command(dice_.chance(60) ? command_kind::switchover : command_kind::pause);
    if (dice_.chance(70)) // a pause is not for ever
      time_.in(ms(500, 4000), [this] { command(command_kind::resume); });
    return;
  case fault::operator_forces: return force(dice_.chance(70) ? n.settings.node : "");
  case fault::shut_down: return shut_down(n, ms(100, 4000));
  case fault::sick_guard: n.sick_until = time_.now() + ms(100, 4000); return;
  default: break;
  }
  if (store_.up)
    disturb_store(kind == fault::store_hangs, kind == fault::store_forgets);
}

void world::disturb_store(bool hangs, bool forgets) {
  const auto ms = [this](moment low, moment high) {
    return dice_.between(low, high) * millisecond;
  };
  if (hangs) {
    note("store hangs");
    store_.frozen = true;
    time_.in(ms(100, 3000), [this] { store_.frozen = false; });
    return;
  }
  moment forget = 0;
  if (forgets && o_.rollbacks) {
    forget = dice_.chance(50) ? ms(10, 8000) : turning_point();
    if (store_.record && dice_.chance(50)) // and the holder is the last to see it
      cut_store(*find(store_.record->holder), ms(100, 1500));
  }
  store_restart(dice_.chance(20) ? ms(2000, 6000) : ms(10, 800), forget);
}

/// The connection is given up only after a while; what is under way until then may still arrive.
void world::cut_store(node& n, moment until) {
  note(n.settings.node + ": cut off from the store");
  n.cut = true;
  time_.in(dice_.between(1000, 3000) * millisecond, [this, p = &n, c = n.connection] {
    if (p->cut && p->connection == c)
      disconnect(*p);
  });
  time_.in(until, [p = &n] { p->cut = false; });
}

void world::cut_peers(node& n) {
  for (auto& other : nodes_)
    if (other.get() != &n && dice_.chance(80)) {
      const auto pair = std::pair{std::min(other->index, n.index), std::max(other->index, n.index)};
      cut_links_.insert(pair);
      time_.in(dice_.between(100, 8000) * millisecond, [this, pair] { cut_links_.erase(pair); });
    }
}

/// Freezes with a renewal under way whose answer it finds when it thaws, cut off by then; and it
/// may freeze again.
void world::stutter(node& n) {
  n.stutters = false;
  time_.in(millisecond, [this, p = &n, life = n.agent_life] {
    if (p->agent_life != life || p->agent_frozen)
      return;
    const auto first = dice_.between(300, 1400) * millisecond;
    freeze_agent(*p, false, first);
    time_.in(50 * millisecond, [this, p] {
      cut_store(*p, dice_.between(1000, 8000) * millisecond);
      cut_peers(*p); // a standby that still receives would not take over
    });
    time_.in(first + dice_.between(10, 1400) * millisecond, [this, p, life] {
      if (p->agent_life == life && dice_.chance(70))
        freeze_agent(*p, false, dice_.between(3000, 8000) * millisecond);
    });
  });
}

void world::make_peace() {
  note("peace");
  peace_ = true;
  store_.up = true;
  store_.frozen = false;
  cut_links_.clear();
  command(command_kind::resume);
  lose_one();
  time_.in(25 * second, [this] { rescue(); });
  for (auto& n : nodes_) {
    if (n->gone)
      continue;
    n->cut = false;
    n->sick_until = 0;
    n->stutters = false;
    thaw(*n);
    if (!n->powered)
      boot(*n);
    start_agent(*n);
  }
}

void world::freeze_agent(node& n, bool postgres_too, moment until) {
  if (!n.agent_up || n.agent_frozen)
    return;
  note(n.settings.node + ": agent " + (postgres_too ? "and PostgreSQL freeze" : "freezes"));
  n.agent_frozen = true;
  n.pg.frozen = postgres_too && n.pg.running;
  time_.in(until, [this, p = &n] { thaw(*p); });
}

void world::thaw(node& n) {
  if (n.pg.frozen) {
    n.pg.frozen = false;
    check_writable();
  }
  if (!n.agent_frozen)
    return;
  note(n.settings.node + ": agent thaws");
  n.agent_frozen = false;
  while (!n.outbox.empty())
    pump(n);
  auto waiting = std::move(n.inbox);
  n.inbox.clear();
  for (auto& e : waiting)
    take(n, e);
}

void world::kill_agent(node& n, moment back_after) {
  if (!n.agent_up)
    return;
  note(n.settings.node + ": agent killed");
  n.agent_up = false;
  n.agent_frozen = false;
  n.pg.frozen = false;
  n.connection = 0;
  ++n.agent_life;
  time_.in(back_after, [this, p = &n] { start_agent(*p); });
}

void world::power_cut(node& n, moment back_after) {
  if (!n.powered)
    return;
  kill_agent(n, 1000 * second);
  kill_postgres(n, "power");
  n.powered = false;
  n.deadline.reset();
  time_.in(back_after, [this, p = &n] {
    if (!p->powered && !p->gone)
      boot(*p);
  });
}

/// For good.
void world::lose_one() {
  auto& lost = *nodes_[dice_.below(nodes_.size())];
  std::size_t promotable = 0;
  for (const auto& n : nodes_)
    promotable += n.get() != &lost && n->settings.priority > 0 ? 1 : 0;
  if (promotable < 2 || !store_.record || !dice_.chance(30))
    return;
  note(lost.settings.node + ": gone for good");
  power_cut(lost, second);
  lost.gone = true;
}

/// The only data that go on from the newest record are gone.
bool world::hopeless() const {
  bool lost = false;
  for (const auto& n : nodes_) {
    lost = lost || n->gone;
    const auto& newest = n->disk.newest;
    auto is = seen(*n);
    is.received = position(n->pg.log.size());
    if (!n->gone && newest && !n->disk.damaged
        && ancestry(*newest, is, n->disk) != refusal::timeline_forked)
      return false;
  }
  return lost;
}

/// Where nobody takes over, an operator names one whose refusal says that this goes over it.
void world::rescue() {
  const bool complete = std::none_of(nodes_.begin(), nodes_.end(), [](const auto& n) {
    return n->gone || n->settings.priority == 0;
  });
  if (healthy() || (complete && counted_.forced == 0))
    return; // they need nobody
  time_.in(15 * second, [this] { rescue(); });
  for (const auto& n : nodes_)
    if (!n->gone && may_override(n->state.why_not))
      return force(n->settings.node);
}

/// The agent ends in order, within what a service manager grants it; then PostgreSQL does.
void world::shut_down(node& n, moment back_after) {
  if (!n.agent_up || n.agent_frozen)
    return;
  note(n.settings.node + ": agent is told to end");
  ++counted_.shutdowns;
  deliver(n, ev::shutdown{});
  time_.in(dice_.between(100, 3000) * millisecond, [this, p = &n, back_after, life = n.agent_life] {
    if (p->agent_life != life)
      return;
    kill_agent(*p, back_after);
    kill_postgres(*p, "the agent ended");
  });
}

void world::command(command_kind kind) {
  cluster_command c{{}, kind, "", false, {}};
  if (kind == command_kind::reinit || (kind == command_kind::switchover && dice_.chance(50)))
    c.to = nodes_[dice_.below(nodes_.size())]->settings.node;
  give(c, kind == command_kind::resume ? 1000 * second : 3 * second);
}

void world::force(const std::string& to) {
  give({{}, command_kind::failover, to, true, {}}, dice_.between(1, 20) * second);
}

/// Its operator takes it back when it was not carried out by `until`.
void world::give(const cluster_command& order, moment until) {
  auto c = order;
  c.id = c.by = std::to_string(1000 + ++commands_);
  note("order " + c.id + ": " + std::to_string(static_cast<int>(c.kind)) + " to '" + c.to + "'");
  if (store_.up)
    store_.commands[c.id] = c;
  time_.in(until, [this, id = c.id] { take_away(id); });
  for (auto& n : nodes_)
    if (n->connection != 0)
      from_store(*n, ev::command{c});
}

void world::take_away(const std::string& order) {
  store_.commands.erase(order);
  taken_away_.try_emplace(order, time_.now());
  for (const auto& n : nodes_)
    if (n->connection != 0)
      from_store(*n, ev::command_gone{order});
}

} // namespace harmony::failover::sim
