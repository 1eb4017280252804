// With a lease: on the way to be the primary, the primary, and on the way not to be.

#include <algorithm>

#include "core/failover/stepper.hpp"
#include "core/failover/sync_plan.hpp"

namespace harmony::failover {

using namespace std::chrono_literals;

namespace {

/// Between two requests for a checkpoint, where one takes long.
constexpr duration checkpoint_pace = 5s;

} // namespace

void stepper::expire() {
  if (s_.lease && now_ >= t_.stop_at(s_.lease->sent))
    lose("the lease was not renewed in time");
}

/// The guard does the rest if this is not quick enough.
void stepper::lose(const std::string& why) {
  emit(fx::audit{"lease-lost", "epoch " + std::to_string(s_.lease->record.epoch) + ": " + why});
  s_.lease.reset();
  s_.request.reset();
  s_.change.reset();
  s_.frozen.reset();
  s_.handing_over = s_.shutting_down;
  enter(phase::demoting);
  stop();
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
  s_.lease.reset();
  s_.handing_over = s_.shutting_down;
  s_.successor.clear();
  enter(phase::following);
}

void stepper::promoting() {
  if (!s_.guard_healthy)
    return release(std::string{text_of(refusal::guard_unhealthy)});
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
  // Everything that was received is replayed first, and the guard has the deadline.
  if (pg.replayed < pg.received || !s_.guard_deadline || now_ >= *s_.guard_deadline - t_.kill)
    return;
  s_.kept.timeline = s_.lease->record.reserved;
  s_.kept.maker = maker_of(s_.lease->record);
  remember();
  emit(fx::promote{operate(operation_kind::promote), s_.lease->record.reserved});
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
  if (!s_.guard_healthy)
    return release(std::string{text_of(refusal::guard_unhealthy)});
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
  if (s_.guard_deadline && now_ < *s_.guard_deadline - t_.kill)
    emit(fx::start_primary{operate(operation_kind::start_primary)});
}

void stepper::tend_sync_set() {
  const auto& lease = *s_.lease;
  const bool in_doubt =
    s_.request && s_.request->record && s_.request->record->sync != lease.record.sync;
  auto step = plan_sync({c_.mode, c_.sync_count, lease.record.sync, lease.sure && !in_doubt,
                         s_.pg->names, s_.pg->flushed, s_.pg->standbys},
                        s_.change);
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
    r.timeline = s_.pg->timeline;
    r.parent_maker = r.maker;
    r.maker = maker_of(r);
    r.parent = s_.pg->history.empty() ? 0 : s_.pg->history.back().timeline;
    r.switch_lsn = s_.pg->history.empty() ? 0 : s_.pg->history.back().left_at;
    r.flush_lsn = s_.pg->flushed;
    r.sync = first_sync_set();
    r.state = s_.pause_wanted ? lease_state::paused : lease_state::held;
    return r;
  }
  r.state = s_.pause_wanted ? lease_state::paused : lease_state::held;
  if (!is_primary())
    return r;
  r.flush_lsn = std::max(r.flush_lsn, s_.pg->flushed);
  if (s_.at == phase::holding) {
    const auto step = plan_sync({c_.mode, c_.sync_count, r.sync, s_.lease->sure, s_.pg->names,
                                 s_.pg->flushed, s_.pg->standbys},
                                s_.change);
    if (step.record)
      r.sync = *step.record;
  }
  return r;
}

/// Refused where nobody could take over at once: an operator's word stops no healthy primary for
/// nothing.
void stepper::switch_over(const cluster_command& order) {
  emit(fx::consume{order.id});
  const auto fit = [&](const peer& p) {
    const auto& b = p.beat;
    return alive(p) && b.electable && b.node != c_.node && b.role == member_role::standby
           && (c_.mode != sync_mode::async || b.received + c_.max_lag >= s_.pg->flushed);
  };
  const bool possible = s_.pg && std::any_of(s_.peers.begin(), s_.peers.end(), [&](const auto& p) {
                          return fit(p.second) && (order.to.empty() || p.first == order.to);
                        });
  if (!possible) {
    emit(fx::audit{"switchover-refused",
                   (order.to.empty() ? "there is no member" : "'" + order.to + "' is not one")
                     + std::string{" that is alive, electable and close enough behind"}});
    return;
  }
  emit(fx::audit{"switchover", "to '" + order.to + "' by " + order.by});
  s_.handing_over = true;
  s_.successor = order.to;
}

} // namespace harmony::failover
