// With a lease: on the way to be the primary, the primary, and on the way not to be.

#include <algorithm>
#include <iterator>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

using namespace std::chrono_literals;

namespace {

/// Between two requests for a checkpoint, where one takes long.
constexpr duration checkpoint_pace = 5s;

/// Replay that stands still for so long has come to the end, which may be within a record.
constexpr duration replay_patience = 1s;

} // namespace

/// When the stop in order begins, so that the guard has nothing to kill.
instant stepper::stop_at() const {
  return s_.lease->sent + length_of(s_.lease->record) - t_.kill - t_.stop;
}

void stepper::expire() {
  if (s_.lease && now_ >= stop_at())
    lose("the lease was not renewed in time");
}

/// The guard does the rest if this is not quick enough.
void stepper::lose(const std::string& why) {
  emit(fx::audit{"lease-lost", "epoch " + std::to_string(s_.lease->record.epoch) + ": " + why});
  s_.request.reset();
  end_lease();
  enter(phase::demoting);
  stop();
}

/// What belongs to the lease goes with it.
void stepper::end_lease() {
  s_.lease.reset();
  s_.change.reset();
  s_.frozen.reset();
  s_.successor.clear();
  s_.handing_over = s_.shutting_down;
}

void stepper::release(const std::string& why) {
  if (!s_.lease || s_.at == phase::releasing)
    return;
  emit(fx::audit{"releasing", why});
  s_.change.reset();
  s_.frozen.reset();
  enter(phase::releasing);
  stop();
}

/// The store says so: whoever comes next may write, and this member has stopped.
void stepper::released() {
  emit(fx::audit{"lease-released", "epoch " + std::to_string(s_.lease->record.epoch)});
  end_lease();
  enter(phase::following);
}

/// Why a lease that is valid must be given away.
std::string stepper::must_release() const {
  if (!s_.guard_healthy)
    return std::string{text_of(refusal::guard_unhealthy)};
  const auto& newest = s_.kept.newest;
  if (newest && newest->epoch > s_.lease->record.epoch)
    return "the store had forgotten epoch " + std::to_string(newest->epoch) + " of '"
           + newest->holder + "'";
  return {};
}

/// Whether PostgreSQL may be made writable: by a lease that an answer of this run has confirmed,
/// and under a live deadline.
bool stepper::may_write() const {
  return s_.lease->sure && s_.guard_deadline && now_ < *s_.guard_deadline - t_.kill;
}

void stepper::promoting() {
  if (const auto why = must_release(); !why.empty())
    return release(why);
  if (s_.lease->record.state != lease_state::promoting)
    return became_primary();
  if (!may_operate())
    return;
  const auto& pg = *s_.pg;
  if (!pg.running)
    return release("PostgreSQL died before it was promoted");
  if (!pg.in_recovery)
    return; // the record says so next: wanted_record()
  const sync_names first = first_sync_set();
  if (pg.names != first) {
    emit(fx::set_sync_names{operate(operation_kind::names), first});
    return;
  }
  // Everything that was received is replayed first.
  const bool replays =
    (!pg.whole || pg.replayed < pg.received) && now_ - s_.replay_at < replay_patience;
  if (replays || !may_write())
    return;
  const auto& r = s_.lease->record;
  s_.kept.timeline = r.reserved;
  s_.kept.maker = maker_of(r);
  s_.kept.left = r.timeline;
  s_.kept.left_maker = r.maker;
  remember();
  emit(fx::promote{operate(operation_kind::promote), r.reserved});
}

/// Before the record names a set that has everything, no commit passes.
sync_set stepper::first_sync_set() const {
  return c_.mode == sync_mode::async ? sync_set{} : sync_set{c_.sync_count, {}};
}

void stepper::became_primary() {
  const auto& r = s_.lease->record;
  s_.frozen.reset();
  s_.checkpoint_at.reset();
  enter(phase::holding);
  emit(fx::publish_history{{r.epoch, r.holder, s_.took_over_from,
                            s_.took_over_from.empty() ? "the first primary" : "took over",
                            r.timeline, r.parent, r.switch_lsn, s_.lost_at_most}});
}

void stepper::holding() {
  if (const auto why = must_release(); !why.empty())
    return release(why);
  if (s_.handing_over)
    return release(s_.shutting_down ? "the agent ends" : "an operator asked for it");
  if (!may_operate())
    return;
  if (!s_.pg->running)
    return postgres_is_down();
  if (s_.pg->in_recovery)
    return release("PostgreSQL was started as a standby");
  tend_sync_set();
  tend_checkpoint();
}

void stepper::postgres_is_down() {
  if (s_.pause_wanted)
    return; // an operator is at work
  const auto down = now_ - s_.down_since.value_or(now_);
  if (c_.restart_limit == duration{} || down >= c_.restart_limit)
    return release("PostgreSQL is not running");
  if (may_write())
    emit(fx::start_primary{operate(operation_kind::start_primary)});
}

/// Only members that could be promoted count: an acknowledgement of another would be of no use.
sync_view stepper::sync_state(bool sure) const {
  sync_view v{c_.mode, c_.sync_count, s_.lease->record.sync, sure, s_.pg->names, s_.pg->flushed,
              {}};
  std::copy_if(s_.pg->standbys.begin(), s_.pg->standbys.end(), std::back_inserter(v.standbys),
               [&](const attached& a) { return s_.promotable.count(a.node) > 0; });
  return v;
}

void stepper::tend_sync_set() {
  const auto& lease = *s_.lease;
  const bool in_doubt =
    s_.request && s_.request->record && s_.request->record->sync != lease.record.sync;
  auto step = plan_sync(sync_state(lease.sure && !in_doubt), s_.change);
  s_.change = std::move(step.change);
  if (step.names)
    emit(fx::set_sync_names{operate(operation_kind::names), *step.names});
}

/// Until its control file says so, a rewind from this primary would find nothing to do (facts of
/// PostgreSQL 15).
void stepper::tend_checkpoint() {
  if (s_.pg->checkpoint_timeline == s_.pg->timeline)
    return;
  if (s_.checkpoint_at && now_ < *s_.checkpoint_at)
    return;
  s_.checkpoint_at = now_ + checkpoint_pace;
  emit(fx::checkpoint{});
}

/// The lease is kept while PostgreSQL stops, so that nobody writes before it has.
void stepper::releasing() {
  if (!s_.stopped)
    stop();
}

void stepper::demoting() {
  if (!s_.stopped)
    return stop();
  if (known() && !s_.pg->running)
    enter(phase::following);
}

lease_record stepper::wanted_record() const {
  auto r = s_.lease->record;
  r.nonce = std::max(r.nonce, s_.lease->nonce) + 1;
  r.paused = s_.pause_wanted;
  if (s_.at == phase::releasing) {
    if (s_.stopped && known() && !s_.pg->running) {
      if (r.state != lease_state::promoting)
        r.flush_lsn = std::max(r.flush_lsn, s_.pg->flushed);
      r.state = lease_state::released;
      r.successor = s_.successor;
    }
    return r;
  }
  if (r.state == lease_state::promoting) {
    if (s_.at != phase::promoting || !is_primary())
      return r;
    r.primary = c_.node;
    r.timeline = s_.pg->timeline;
    r.parent_maker = r.maker;
    r.maker = maker_of(r);
    r.parent = s_.pg->history.empty() ? 0 : s_.pg->history.back().timeline;
    r.switch_lsn = s_.pg->history.empty() ? 0 : s_.pg->history.back().left_at;
    r.flush_lsn = s_.pg->flushed;
    r.sync = first_sync_set();
    r.state = lease_state::held;
    return r;
  }
  if (!is_primary())
    return r;
  r.flush_lsn = std::max(r.flush_lsn, s_.pg->flushed);
  if (s_.at == phase::holding) {
    const auto step = plan_sync(sync_state(s_.lease->sure), s_.change);
    if (step.record)
      r.sync = *step.record;
  }
  return r;
}

} // namespace harmony::failover
