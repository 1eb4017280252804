// The operations on a simulated PostgreSQL: each takes its time, and may be overtaken.

#include "sim/failover/world.hpp"

namespace harmony::failover::sim {

void world::operate(node& n, const action& a) {
  auto* p = &n;
  auto& pg = n.pg;
  const auto life = pg.life;
  const auto ms = [this](moment low, moment high) {
    return dice_.between(low, high) * millisecond;
  };
  if (const auto* start = std::get_if<fx::start_standby>(&a)) {
    over(n, start->operation, ms(50, 400), [this, p, life, up = start->upstream] {
      if (p->pg.life != life || p->pg.running || !p->powered || sick(*p))
        return p->pg.running;
      if (p->pg.half_copied)
        fail(p->settings.node + " starts on data that are half copied");
      p->pg.running = true;
      p->pg.writable = p->pg.receives = p->pg.whole = p->pg.half = false;
      const auto again = dice_.below(dice_.chance(20) ? 400 : 40); // from its last restart point
      p->pg.replayed -= std::min(p->pg.replayed, again);
      p->pg.upstream = up;
      return true;
    });
  } else if (const auto* primary = std::get_if<fx::start_primary>(&a)) {
    over(n, primary->operation, ms(50, 400), [this, p, life] {
      if (p->pg.life != life || p->pg.running || !guard_live(*p) || sick(*p))
        return false;
      p->pg.running = true;
      make_writable(*p);
      return true;
    });
  } else if (const auto* promote = std::get_if<fx::promote>(&a)) {
    const auto delay = dice_.chance(10) ? ms(2000, 6000) : ms(30, 300);
    over(n, promote->operation, delay, [this, p, life, to = promote->timeline] {
      auto& at = p->pg;
      if (at.life != life || !at.running || at.writable || at.frozen || !guard_live(*p) || sick(*p))
        return false;
      if (p->settings.priority == 0 && !p->forced)
        fail(p->settings.node + " is promoted, with priority 0");
      at.history.push_back({at.timeline, position(at.log.size())});
      at.timeline = to;
      ++counted_.promotions;
      note(p->settings.node + ": promoted, timeline " + std::to_string(to));
      make_writable(*p);
      check_nothing_lost(*p);
      return true;
    });
  } else if (const auto* stop = std::get_if<fx::stop_fast>(&a)) {
    const auto delay = dice_.chance(10) ? ms(1000, 4000) : ms(30, 400);
    over(n, stop->operation, delay, [this, p] {
      auto& at = p->pg;
      if (at.running && at.writable && !at.frozen)
        for (auto& other : nodes_) { // an orderly stop sends what there is
          auto& to = other->pg;
          if (to.running && to.receives && to.upstream == p->settings.node && linked(*p, *other)
              && to.log.size() <= at.log.size())
            to.log = at.log;
        }
      kill_postgres(*p, "stopped");
      ++at.life;
      return true;
    });
  } else if (const auto* follow = std::get_if<fx::follow>(&a)) {
    over(n, follow->operation, ms(10, 60), [this, p, life, up = follow->upstream] {
      if (p->pg.life != life || !p->pg.running)
        return false;
      p->pg.secretly = up.empty() && o_.what == broken::frozen_promise ? p->pg.upstream : "";
      p->pg.upstream = up;
      p->pg.receives = false;
      return true;
    });
  } else if (const auto* names = std::get_if<fx::set_sync_names>(&a)) {
    over(n, names->operation, ms(5, 30), [p, life, all = names->names] {
      if (p->pg.life == life)
        p->pg.names = all;
      return p->pg.life == life;
    });
  } else {
    const auto* rewinds = std::get_if<fx::rewind>(&a);
    const auto* clones = std::get_if<fx::reclone>(&a);
    if (rewinds == nullptr && clones == nullptr)
      return;
    const auto number = rewinds != nullptr ? rewinds->operation : clones->operation;
    auto* source = find(rewinds != nullptr ? rewinds->source : clones->source);
    pg.half_copied = true;
    over(n, number, ms(200, 1500),
         [this, p, source, by_rewind = rewinds != nullptr, agent = n.agent_life, life,
          from_life = source->pg.life] {
           const bool there = source->pg.running && source->pg.writable
                              && source->pg.life == from_life && linked(*p, *source);
           if (p->agent_life != agent || p->pg.life != life || !there)
             return false;
           const bool ok = by_rewind ? rewind(*p, *source) : clone(*p, *source);
           p->pg.half_copied = !ok;
           return ok;
         });
  }
}

} // namespace harmony::failover::sim
