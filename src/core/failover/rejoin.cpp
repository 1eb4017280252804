// PostgreSQL as a standby: started, pointed at the primary, and brought back where its data are not
// a part of the primary's.

#include "core/failover/stepper.hpp"

namespace harmony::failover {

namespace {

bool copies(rejoin_step s) {
  return s == rejoin_step::rewind || s == rejoin_step::reclone;
}

} // namespace

/// The primary that the newest record names, if that is another member, and this one has not
/// promised to receive nothing from it.
const lease_record* stepper::primary_to_follow() const {
  const auto& newest = s_.kept.newest;
  if (!newest || newest->holder == c_.node)
    return nullptr;
  if (s_.kept.promise && !older(*s_.kept.promise, *newest))
    return nullptr;
  return newest->state == lease_state::held ? &*newest : nullptr;
}

bool stepper::is_live_primary(const std::string& node) const {
  const auto at = s_.peers.find(node);
  return at != s_.peers.end() && alive(at->second) && at->second.beat.role == member_role::primary;
}

void stepper::tend_standby() {
  if (!may_operate() || s_.shutting_down || s_.duplicate)
    return;
  const auto& pg = *s_.pg;
  const auto* record = primary_to_follow();
  if (record != nullptr)
    tend_reinit(*record);
  const bool foreign =
    s_.kept.newest && pg.system_id != 0 && pg.system_id != s_.kept.newest->system_id;
  if (foreign && !s_.kept.damaged)
    return; // another cluster's: not touched
  if (pg.running && !pg.in_recovery) {
    emit(fx::alarm{"PostgreSQL is writable without a lease: it is stopped"});
    stop();
    return;
  }
  if (record != nullptr)
    follow_primary(*record);
  else
    start_alone();
}

/// So that its report counts, and it can be elected.
void stepper::start_alone() {
  if (!s_.pg->running && s_.pg->system_id != 0 && !s_.kept.damaged)
    emit(fx::start_standby{operate(operation_kind::start_standby), ""});
}

void stepper::follow_primary(const lease_record& record) {
  const auto& pg = *s_.pg;
  const auto source = s_.peers.find(record.holder);
  const auto source_timeline =
    source == s_.peers.end() ? 0U : source->second.beat.checkpoint_timeline;
  if (pg.running && pg.receives && pg.upstream == record.holder && !s_.kept.damaged) {
    note_streaming(record);
    return;
  }
  auto plan = rejoin_plan(record, pg, source_timeline, s_.kept, c_.may_rewind);
  const bool rewound = s_.rewound == record.epoch;
  if (rewound && plan != rejoin_step::reclone)
    plan = rejoin_step::follow; // it has found what there was to find
  // What ought to stream and does not: each limit that passes leads one step further.
  if (plan == rejoin_step::follow) {
    const bool replays = pg.running && !pg.whole; // it streams after that
    if (!s_.not_streaming_since || replays || pg.upstream != record.holder)
      s_.not_streaming_since = now_;
    if (source_timeline == record.timeline && now_ - *s_.not_streaming_since >= c_.stream_limit)
      plan = c_.may_rewind && !rewound ? rejoin_step::rewind : rejoin_step::reclone;
  }
  s_.rejoin = plan;
  if (copies(plan) && !is_live_primary(record.holder))
    return start_alone(); // nothing to copy from
  if (copies(plan)) {
    clone_or_rewind(record);
    return;
  }
  if (plan == rejoin_step::wait_for_checkpoint)
    return start_alone();
  if (!pg.running)
    emit(fx::start_standby{operate(operation_kind::start_standby), record.holder});
  else if (pg.upstream != record.holder)
    emit(fx::follow{operate(operation_kind::follow), record.holder});
}

void stepper::clone_or_rewind(const lease_record& record) {
  if (s_.pg->running)
    return stop();
  s_.kept.damaged = true; // until it is over: half of the data may be the source's
  remember();
  if (s_.rejoin == rejoin_step::rewind)
    emit(fx::rewind{operate(operation_kind::rewind), record.holder});
  else
    emit(fx::reclone{operate(operation_kind::reclone), record.holder});
}

/// It streams: PostgreSQL itself has found that its data go on in the primary's.
void stepper::note_streaming(const lease_record& record) {
  s_.rejoin = rejoin_step::follow;
  s_.not_streaming_since.reset();
  if (s_.pg->timeline != record.timeline
      || (s_.kept.timeline == record.timeline && s_.kept.maker == record.maker))
    return;
  s_.kept.timeline = record.timeline;
  s_.kept.maker = record.maker;
  s_.kept.left = 0;
  remember();
}

} // namespace harmony::failover
