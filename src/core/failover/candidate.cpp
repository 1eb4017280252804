// Without a lease: watching the record, and taking over when it is silent.

#include <algorithm>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

/// Only a release that was seen to happen in this connection is believed: one that is merely found
/// may be what a restored store remembers, with a primary that it does not. Nor one that is older
/// than a record that is known: who wrote that may be writing.
bool stepper::released_live() const {
  return s_.seen && s_.seen->record && s_.seen->record->state == lease_state::released
         && s_.seen->changed && !older(*s_.seen->record, *s_.kept.newest);
}

/// Whether the lease of whoever had it has certainly run out.
bool stepper::silent() const {
  if (s_.connection == 0 || !s_.seen || now_ - s_.seen->heard > 2 * t_.renew)
    return false;
  return released_live() || now_ - s_.seen->since >= window();
}

/// How long a record must be silent. Its holder may have been told of longer leases than this
/// member: what was written counts.
duration stepper::window() const {
  auto longest = t_.window;
  for (const auto* record : {s_.seen ? &s_.seen->record : nullptr, &s_.kept.newest})
    if (record != nullptr && *record)
      longest = std::max(longest, t_.least_window(length_of(**record)));
  return longest;
}

bool stepper::alive(const peer& p) const {
  return p.live && now_ - p.seen <= 3 * t_.renew;
}

std::uint64_t stepper::epoch_known() const {
  return std::max({s_.kept.floor, s_.epoch_seen, s_.kept.newest ? s_.kept.newest->epoch : 0});
}

/// The epoch that a claim would have: higher than each that anybody is known to have had. Those
/// who are frozen for a higher one draw the others up, so that all reports come to be of one epoch.
std::uint64_t stepper::target() const {
  auto epoch = 1 + epoch_known();
  for (const auto& [node, p] : s_.peers)
    if (alive(p) && p.beat.frozen)
      epoch = std::max(epoch, p.beat.frozen->epoch);
  return epoch;
}

bool stepper::electable() const {
  return s_.guard_healthy && c_.priority > 0 && !s_.kept.damaged && !s_.duplicate
         && !s_.shutting_down && s_.pg && s_.pg->running && s_.pg->in_recovery && s_.pg->whole
         && s_.rejoin == rejoin_step::follow
         && (!s_.kept.newest || s_.pg->system_id == s_.kept.newest->system_id);
}

/// Why an election does not begin. Members that are not electable take part: their reports count.
refusal stepper::before_election() const {
  if (s_.connection == 0 || !s_.seen)
    return refusal::store_unreachable;
  if (s_.duplicate)
    return refusal::duplicate_node;
  if (!s_.kept.newest && (s_.seen->sequence != 0 || !c_.may_create))
    return refusal::no_cluster;
  if (epoch_known() >= last_number)
    return refusal::numbers_exhausted;
  if (!silent())
    return refusal::window_running;
  const auto& newest = s_.kept.newest;
  if (held_back())
    return refusal::paused;
  if (s_.kept.damaged)
    return refusal::data_damaged;
  if (!is_standby())
    return refusal::not_a_standby;
  if (newest && s_.pg->system_id != newest->system_id)
    return refusal::system_id_differs;
  if (s_.pg->receives && s_.wal_at && now_ - *s_.wal_at <= 2 * t_.renew && !released_live())
    return refusal::primary_still_streams;
  return refusal::none;
}

void stepper::following() {
  const auto before = s_.why_not;
  s_.why_not = before_election();
  if (s_.why_not == refusal::primary_still_streams && before != s_.why_not)
    emit(fx::alarm{std::string{text_of(s_.why_not)}});
  if (s_.why_not == refusal::none && !s_.shutting_down && may_operate())
    enter(phase::freezing);
  else
    tend_standby();
}

void stepper::freezing() {
  if (!silent()) {
    enter(phase::following);
    return;
  }
  if (!may_operate())
    return;
  if (!is_standby()) {
    enter(phase::following);
    return;
  }
  if (s_.pg->receives || !s_.pg->upstream.empty()) {
    emit(fx::follow{operate(operation_kind::follow), ""});
    return;
  }
  if (!s_.pg->whole) {
    s_.why_not = refusal::log_not_replayed;
    return;
  }
  s_.frozen = frozen_report{target(), s_.pg->timeline, s_.pg->received};
  s_.frozen_at = now_;
  s_.kept.promise = s_.kept.newest;
  remember();
  enter(phase::electing);
}

void stepper::electing() {
  const bool still =
    silent() && is_standby() && !s_.pg->receives && s_.pg->upstream.empty() && s_.pg->whole;
  if (!still || s_.shutting_down) {
    thaw();
    return;
  }
  if (const auto epoch = target(); epoch > s_.frozen->epoch) {
    s_.frozen->epoch = epoch;
    beat_now();
  }
  s_.why_not = judge();
  if (s_.why_not == refusal::none)
    s_.why_not = turn();
  if (s_.why_not == refusal::none && !s_.request)
    claim();
}

/// No later report may look like this one. What it promised ends with the record: who counted it
/// may be claiming just now.
void stepper::thaw() {
  s_.kept.floor = std::max(s_.kept.floor, s_.frozen->epoch);
  s_.frozen.reset();
  remember();
  enter(phase::following);
}

/// The live reports of this election, this member's first.
std::vector<candidate> stepper::reports() const {
  std::vector<candidate> out{{c_.node, c_.priority, electable(), *s_.frozen}};
  for (const auto& [node, p] : s_.peers)
    if (node != c_.node && alive(p) && p.beat.frozen && p.beat.frozen->epoch >= s_.frozen->epoch)
      out.push_back({node, p.beat.priority, p.beat.electable, *p.beat.frozen});
  return out;
}

refusal stepper::judge() const {
  const auto first = [&](auto... all) {
    refusal found = refusal::none;
    ((found == refusal::none && all != refusal::none && !overrides(all) ? void(found = all)
                                                                        : void()),
     ...);
    return found;
  };
  const auto& newest = s_.kept.newest;
  return first(held_back() ? refusal::paused : refusal::none,
               next_timeline() > last_timeline ? refusal::numbers_exhausted : refusal::none,
               s_.guard_healthy ? refusal::none : refusal::guard_unhealthy,
               newest ? ancestry(*newest, *s_.pg, s_.kept) : refusal::none,
               newest ? judge_data(*newest) : refusal::none,
               newest ? judge_sync(*newest) : refusal::none,
               c_.priority > 0 ? refusal::none : refusal::priority_zero);
}

refusal stepper::judge_data(const lease_record& basis) const {
  const auto mine = s_.frozen->at;
  if (basis.sync.k == 0 && basis.primary != c_.node && basis.flush_lsn > mine
      && basis.flush_lsn - mine > c_.max_lag)
    return refusal::lag_too_large;
  return refusal::none;
}

refusal stepper::judge_sync(const lease_record& basis) const {
  // The primary itself has all that it acknowledged.
  if (basis.sync.k == 0 || basis.primary == c_.node)
    return refusal::none;
  const auto& members = basis.sync.members;
  if (std::find(members.begin(), members.end(), c_.node) == members.end())
    return overrides(refusal::not_a_member) ? refusal::none : refusal::not_a_member;
  const auto reported = reports();
  if (!covers(basis.sync, reported) && !overrides(refusal::quorum_missing))
    return refusal::quorum_missing;
  if (exceeded(basis.sync, reported, *s_.frozen))
    return refusal::others_have_more;
  return refusal::none;
}

/// Whether somebody who is alive may yet report.
bool stepper::reports_missing() const {
  if (now_ >= s_.frozen_at + 2 * t_.renew + t_.request)
    return false;
  return std::any_of(s_.peers.begin(), s_.peers.end(), [&](const auto& each) {
    const auto& p = each.second;
    return each.first != c_.node && p.beat.role == member_role::standby
           && (!p.live || (alive(p) && !p.beat.frozen));
  });
}

/// The best goes at once, each other one later, in case those before it do not.
refusal stepper::turn() const {
  const auto step = 2 * t_.renew;
  const auto& record = s_.seen->record;
  const bool first_to_others = record && record->holder != c_.node
                                 ? !record->successor.empty() && record->successor != c_.node
                                 : record.has_value();
  if (released_live() && first_to_others && now_ < s_.seen->since + 2 * step)
    return refusal::successor_first;
  if (released_live() && record->successor == c_.node)
    return refusal::none;
  if (reports_missing())
    return refusal::outranked;
  const bool due = now_ >= s_.frozen_at + better_ones() * step;
  return due || ordered() != nullptr ? refusal::none : refusal::outranked;
}

/// How many that would take over have reported and go before this member.
std::ptrdiff_t stepper::better_ones() const {
  const auto all = reports();
  const auto sync = s_.kept.newest ? s_.kept.newest->sync : sync_set{};
  return std::count_if(all.begin() + 1, all.end(), [&](const candidate& other) {
    return other.electable && better(other, all.front(), sync);
  });
}

/// A number that nobody has given to a timeline.
std::uint64_t stepper::next_timeline() const {
  auto highest = s_.pg->timeline;
  if (const auto& newest = s_.kept.newest)
    highest = std::max({highest, newest->reserved, newest->timeline});
  for (const auto& [node, p] : s_.peers)
    highest = std::max(highest, p.beat.timeline);
  return std::uint64_t{highest} + 1;
}

void stepper::claim() {
  const auto& pg = *s_.pg;
  const auto& newest = s_.kept.newest;
  auto r = newest.value_or(lease_record{});
  s_.took_over_from = r.holder;
  s_.ordered_by = ordered() != nullptr ? ordered()->by : "";
  s_.lost_at_most =
    std::min(r.flush_lsn > pg.received ? r.flush_lsn - pg.received : 0, last_number);
  if (!newest) {
    r.system_id = pg.system_id;
    r.primary = c_.node;
    r.timeline = pg.timeline;
    r.maker = s_.kept.timeline == pg.timeline ? s_.kept.maker : "";
    r.parent = pg.history.empty() ? 0 : pg.history.back().timeline;
    r.switch_lsn = pg.history.empty() ? 0 : pg.history.back().left_at;
    r.flush_lsn = pg.received;
  }
  r.reserved = static_cast<std::uint32_t>(next_timeline());
  r.paused = s_.pause_wanted = paused();
  r.epoch = s_.frozen->epoch;
  r.holder = c_.node;
  r.incarnation = c_.incarnation;
  r.nonce = 1;
  r.state = lease_state::promoting;
  r.lease_ms = static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(t_.lease).count());
  r.successor.clear();
  s_.kept.floor = r.epoch;
  remember();
  enter(phase::claiming);
  send_cas(request_kind::claim, s_.seen->sequence, std::move(r));
  s_.claim = s_.request;
}

} // namespace harmony::failover
