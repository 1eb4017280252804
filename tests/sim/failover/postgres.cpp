// The simulated PostgreSQL: a log of commits, streaming replication that checks timelines as
// PostgreSQL does, synchronous commits, rewind with its traps.

#include <algorithm>

#include "sim/failover/world.hpp"

namespace harmony::failover::sim {

namespace {

constexpr moment replication_period = 25 * millisecond;

/// The timeline of the entry at `end`, in the history of `of`.
std::uint32_t timeline_at(const server& of, std::size_t end) {
  for (const auto& past : of.history)
    if (position(end) < past.left_at)
      return past.timeline;
  return of.timeline;
}

std::vector<past_timeline> history_until(const server& of, std::uint32_t timeline) {
  std::vector<past_timeline> out;
  for (const auto& past : of.history) {
    if (past.timeline == timeline)
      break;
    out.push_back(past);
  }
  return out;
}

/// Whether PostgreSQL would stream: the standby's timeline is one of the primary's, and it did not
/// go beyond where that was left.
bool streams(const server& from, const server& to) {
  if (from.timeline == to.timeline)
    return to.log.size() <= from.log.size();
  return std::any_of(from.history.begin(), from.history.end(), [&](const auto& past) {
    return past.timeline == to.timeline && position(to.log.size()) <= past.left_at;
  });
}

std::size_t common(const std::vector<entry>& a, const std::vector<entry>& b) {
  const auto n = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(n);
  return static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
}

} // namespace

node* world::find(const std::string& name) {
  for (auto& n : nodes_)
    if (n->settings.node == name)
      return n.get();
  return nullptr;
}

bool world::linked(const node& a, const node& b) const {
  return cut_links_.count({std::min(a.index, b.index), std::max(a.index, b.index)}) == 0;
}

void world::replicate() {
  for (auto& n : nodes_)
    if (n->pg.running && n->pg.writable && !n->pg.frozen)
      write(*n);
  for (auto& n : nodes_) {
    auto& pg = n->pg;
    if (!pg.running || pg.writable || pg.frozen)
      continue;
    const auto& source = pg.secretly.empty() ? pg.upstream : pg.secretly;
    auto* from = source.empty() ? nullptr : find(source);
    const bool can = from != nullptr && from->pg.running && from->pg.writable && !from->pg.frozen
                     && linked(*n, *from) && streams(from->pg, pg) && pg.whole;
    pg.receives = can && pg.secretly.empty();
    if (can)
      stream(*from, *n);
    pg.whole = pg.whole || pg.replayed == pg.log.size();
    pg.replayed = std::min(pg.log.size(), pg.replayed + 1 + dice_.below(6));
  }
  for (auto& n : nodes_)
    if (n->pg.running && n->pg.writable && !n->pg.frozen)
      acknowledge(*n);
  time_.in(replication_period, [this] { replicate(); });
}

void world::stream(node& from, node& to) {
  auto& log = to.pg.log;
  if (common(log, from.pg.log) != log.size()) {
    fail(to.settings.node + " streams from " + from.settings.node + ", but its data differ");
    return;
  }
  auto amount = dice_.below(8);
  if (to.pg.slow_until > time_.now())
    amount = dice_.below(2);
  const auto end = std::min(from.pg.log.size(), log.size() + amount);
  log.insert(log.end(), from.pg.log.begin() + static_cast<std::ptrdiff_t>(log.size()),
             from.pg.log.begin() + static_cast<std::ptrdiff_t>(end));
  to.pg.timeline = timeline_at(from.pg, log.size());
  to.pg.history = history_until(from.pg, to.pg.timeline);
  to.pg.checkpoint_timeline = to.pg.timeline;
  to.pg.half = log.size() < from.pg.log.size() && dice_.chance(30);
  from.pg.flushed_by[to.settings.node] = log.size();
}

/// A client on the very machine: no partition keeps it from writing.
void world::write(node& n) {
  const auto amount = dice_.below(3);
  for (std::size_t i = 0; i < amount; ++i)
    n.pg.log.push_back(++entries_);
}

void world::acknowledge(node& n) {
  auto& pg = n.pg;
  auto until = pg.log.size();
  if (pg.names.k > 0) {
    std::vector<std::size_t> has;
    for (const auto& name : pg.names.members) {
      const auto at = pg.flushed_by.find(name);
      has.push_back(at == pg.flushed_by.end() ? 0 : at->second);
    }
    std::sort(has.rbegin(), has.rend());
    until = has.size() >= pg.names.k ? std::min(until, has[pg.names.k - 1]) : 0;
  }
  for (auto& at = pg.first_unacknowledged; at < until; ++at) {
    acknowledged_.emplace_back(at, pg.log[at]);
    ++counted_.acknowledged;
  }
}

void world::kill_postgres(node& n, const std::string& why) {
  auto& pg = n.pg;
  if (!pg.running)
    return;
  note(n.settings.node + ": PostgreSQL dies: " + why);
  if (pg.writable)
    pg.replayed = pg.log.size();
  pg.running = pg.writable = pg.receives = pg.frozen = false;
  pg.secretly.clear();
  ++pg.life;
}

void world::make_writable(node& n) {
  auto& pg = n.pg;
  pg.writable = true;
  pg.receives = pg.half = false;
  pg.replayed = pg.log.size(); // before it could write
  pg.flushed_by.clear();
  pg.first_unacknowledged = pg.log.size();
  check_writable();
}

/// What a client was told is committed must be in every later primary. Without synchronous
/// standbys, what is missing must be what came after the last word of the old primary, or less
/// than the lag that is allowed.
void world::check_nothing_lost(const node& n) {
  const auto& log = n.pg.log;
  std::size_t lost = 0;
  for (const auto& [at, what] : acknowledged_)
    if (at >= log.size() || log[at] != what)
      ++lost;
  if (lost == 0)
    return;
  if (o_.mode != sync_mode::async && !n.forced)
    return fail(n.settings.node + " is promoted and lacks " + std::to_string(lost)
                + " acknowledged commits");
  counted_.lost += lost;
  const auto& basis = n.state.lease ? n.state.lease->record : *n.state.kept.newest;
  if (basis.state == lease_state::promoting && !n.forced
      && basis.flush_lsn > position(log.size()) + max_lag)
    fail(n.settings.node + " is promoted over the lag that is allowed");
  // Each is lost once.
  acknowledged_.erase(std::remove_if(acknowledged_.begin(), acknowledged_.end(),
                                     [&](const auto& a) {
                                       return a.first >= log.size() || log[a.first] != a.second;
                                     }),
                      acknowledged_.end());
}

/// Finds where the timelines part, as pg_rewind does from the source's control file: while that is
/// of the old timeline there is nothing to do.
bool world::rewind(node& n, const node& source) {
  const auto& from = source.pg;
  auto& to = n.pg;
  ++counted_.rewinds;
  if (from.checkpoint_timeline != from.timeline || from.timeline == to.timeline)
    return true;
  auto all = from.history;
  all.push_back({from.timeline, position(from.log.size())});
  auto mine = to.history;
  mine.push_back({to.timeline, position(to.log.size())});
  lsn parted = 0;
  for (std::size_t i = 0; i < std::min(all.size(), mine.size()); ++i) {
    if (all[i].timeline != mine[i].timeline)
      break;
    parted = std::min(all[i].left_at, mine[i].left_at);
    if (all[i].left_at != mine[i].left_at)
      break;
  }
  if (parted == 0)
    return false;
  const auto keep = static_cast<std::size_t>((parted - 1000) / entry_size);
  to.log.resize(std::min(keep, to.log.size()));
  to.timeline = timeline_at(from, to.log.size());
  to.history = history_until(from, to.timeline);
  to.checkpoint_timeline = to.timeline;
  to.replayed = to.log.size();
  return true;
}

bool world::clone(node& n, const node& source) {
  auto& to = n.pg;
  to.log = source.pg.log;
  to.timeline = source.pg.timeline;
  to.history = source.pg.history;
  to.checkpoint_timeline = to.timeline;
  to.replayed = to.log.size();
  return true;
}

postgres world::seen(const node& n) const {
  const auto& pg = n.pg;
  postgres out;
  out.after = n.operation_over;
  out.running = pg.running;
  out.in_recovery = !pg.writable && pg.running;
  out.system_id = 42;
  out.timeline = pg.timeline;
  out.checkpoint_timeline = pg.checkpoint_timeline;
  out.history = pg.history;
  out.whole = pg.whole || o_.what == broken::guessed_end;
  out.received =
    pg.whole ? position(pg.log.size()) + (pg.half ? entry_size / 2 : 0) : position(pg.replayed);
  out.replayed = position(pg.replayed);
  out.flushed = position(pg.log.size());
  out.receives = pg.receives;
  out.upstream = pg.upstream;
  out.names = pg.names;
  if (pg.writable)
    for (const auto& other : nodes_)
      if (other->pg.running && other->pg.receives && other->pg.upstream == n.settings.node
          && linked(n, *other)) {
        const auto at = pg.flushed_by.find(other->settings.node);
        if (at != pg.flushed_by.end())
          out.standbys.push_back(
            {other->settings.node,
             position(o_.what == broken::early_sync_set ? pg.log.size() : at->second)});
      }
  return out;
}

} // namespace harmony::failover::sim
