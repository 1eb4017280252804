#include "sim/failover/world.hpp"

#include <algorithm>

namespace harmony::failover::sim {

namespace {

/// Within so long after the last fault all must be well: a window and an election, a slow
/// promotion, a clone; and, where they need it, an operator's words.
constexpr moment recovery_limit = 90 * second;

} // namespace

world::world(const options& o) : o_(o), dice_(o.seed) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < o.nodes; ++i)
    names.emplace_back(1, static_cast<char>('a' + i));
  const auto never = o.nodes > 2 && dice_.chance(30) ? 1 + dice_.below(o.nodes - 1) : o.nodes;
  for (std::size_t i = 0; i < o.nodes; ++i) {
    auto n = std::make_unique<node>();
    n->index = i;
    auto& c = n->settings;
    c.node = names[i];
    c.members = names;
    c.mode = o.mode;
    c.max_lag = max_lag;
    c.may_create = i == 0;
    c.priority = i == never ? 0 : 1;
    c.restart_limit = dice_.chance(50) ? duration{} : std::chrono::seconds{2};
    c.stream_limit = std::chrono::seconds{3};
    c.may_rewind = dice_.chance(80);
    n->clock = {1.0 + static_cast<double>(dice_.between(-100, 100)) / 10000.0,
                dice_.between(0, 1000) * second};
    nodes_.push_back(std::move(n));
  }
}

void world::run() {
  choose_faults();
  for (auto& n : nodes_)
    boot(*n);
  time_.in(10 * millisecond, [this] { replicate(); });
  time_.in(4 * second, [this] { disturb(); });
  while (violation_.empty() && time_.next(o_.faults_until)) {
  }
  make_peace();
  const auto end = o_.faults_until + recovery_limit;
  while (violation_.empty() && time_.now() < end) {
    const auto slice = time_.now() + 500 * millisecond;
    while (violation_.empty() && time_.next(slice)) {
    }
    if (healthy()) {
      check_all_kept();
      return;
    }
  }
  stuck_ = violation_.empty() && !hopeless();
  if (stuck_)
    fail("no recovery in time: " + why_ill());
}

void world::boot(node& n) {
  n.powered = true;
  start_agent(n);
  link(n);
}

void world::note(const std::string& what) {
  const auto ms = time_.now() / millisecond;
  story_ += std::to_string(ms) + " ms: " + what + "\n";
}

void world::fail(const std::string& what) {
  note("VIOLATION: " + what);
  if (violation_.empty())
    violation_ = what;
}

/// One primary that acknowledges, and all others receive from it and have the same.
bool world::healthy() const {
  return why_ill().empty();
}

std::string world::why_ill() const {
  const node* primary = nullptr;
  std::string out;
  for (const auto& n : nodes_) {
    if (n->pg.writable && n->state.at == phase::holding)
      primary = n.get();
    out += n->settings.node + " is " + std::string{word_of(n->state.at)} + " "
           + std::string{word_of(n->state.why_not)} + (n->pg.receives ? " receives" : "") + "; ";
  }
  if (primary == nullptr)
    return out + "no primary";
  if (primary->pg.first_unacknowledged + 10 < primary->pg.log.size())
    return out + "writes are not acknowledged";
  for (const auto& n : nodes_) {
    if (n.get() == primary || n->gone)
      continue;
    const auto& log = n->pg.log;
    if (!n->pg.receives || n->pg.upstream != primary->settings.node)
      return out + n->settings.node + " does not follow";
    if (log.size() + 20 < primary->pg.log.size())
      return out + n->settings.node + " lags";
  }
  return {};
}

/// In the end the primary has everything that was acknowledged, by whomever.
void world::check_all_kept() {
  for (const auto& n : nodes_)
    if (n->pg.writable)
      check_nothing_lost(*n);
}

/// At no instant two that would take a write.
void world::check_writable() {
  if (o_.two_may_write)
    return;
  std::string who;
  int count = 0;
  for (const auto& n : nodes_)
    if (n->pg.running && n->pg.writable && !n->pg.frozen) {
      ++count;
      who += n->settings.node + " ";
    }
  if (count > 1)
    fail("two writable primaries: " + who);
}

} // namespace harmony::failover::sim
