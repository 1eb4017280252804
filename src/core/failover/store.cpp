// The conversation with the store: what is learnt of the record, and one request at a time.

#include <algorithm>
#include <tuple>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

namespace {

/// What a restart must not forget; the rest of a record changes with every renewal.
auto lasting(const lease_record& r) {
  return std::tie(r.epoch, r.holder, r.incarnation, r.state, r.paused, r.timeline, r.sync,
                  r.reserved);
}

} // namespace

void stepper::operator()(const ev::connected& e) {
  forget_connection();
  s_.connection = e.connection;
  s_.server = e.server;
  beat_now();
}

void stepper::operator()(const ev::disconnected&) {
  forget_connection();
}

/// A server that comes back may have gone back: nothing that was seen is known any more, and no
/// sequence from before may be used. What the lease allows stays allowed until its time is over.
void stepper::forget_connection() {
  s_.connection = 0;
  s_.seen.reset();
  s_.peers.clear();
  s_.orders.clear();
  s_.retry_at = {};
  answer_lost();
}

void stepper::operator()(const ev::record_seen& e) {
  if (s_.connection == 0 || e.connection != s_.connection)
    return;
  if (!s_.lease) {
    learn(e.sequence, e.record);
    return;
  }
  // Its own writes come back late. What is of somebody else is read before it is believed.
  if (!e.record || !mine(*e.record))
    s_.lease->sequence.reset();
}

void stepper::operator()(const ev::record_read& e) {
  if (!s_.request || s_.request->number != e.request || s_.request->kind != request_kind::read)
    return;
  s_.request.reset();
  learn(e.sequence, e.record);
  if (s_.lease)
    judge_lease(e.sequence, e.record);
  else if (s_.claim)
    judge_claim(e.sequence, e.record);
}

void stepper::operator()(const ev::cas_done& e) {
  if (!s_.request || s_.request->number != e.request || !s_.request->record)
    return;
  const auto done = *std::exchange(s_.request, std::nullopt);
  learn(e.sequence, done.record);
  if (done.kind == request_kind::claim) {
    take_lease(done, e.sequence);
    return;
  }
  auto& lease = *s_.lease;
  lease.record = *done.record;
  lease.sequence = e.sequence;
  lease.sure = true;
  if (lease.record.state == lease_state::released) {
    released();
    return;
  }
  lease.sent = done.sent;
  emit(fx::arm_guard{done.sent + length_of(lease.record), lease.record.epoch});
}

void stepper::operator()(const ev::cas_wrong_sequence& e) {
  if (!s_.request || s_.request->number != e.request || !s_.request->record)
    return;
  const auto kind = std::exchange(s_.request, std::nullopt)->kind;
  if (kind == request_kind::claim) {
    s_.claim.reset();
    s_.frozen.reset();
    restart_window();
    enter(phase::following);
  } else if (s_.lease) {
    s_.lease->sequence.reset();
  }
  if (s_.seen)
    s_.seen->heard = {}; // read at once
}

void stepper::operator()(const ev::request_failed& e) {
  if (!s_.request || s_.request->number != e.request)
    return;
  answer_lost();
  s_.retry_at = now_ + t_.request / 4;
}

void stepper::give_up_slow_request() {
  if (s_.request && now_ >= s_.request->sent + t_.request)
    answer_lost();
}

/// A CAS without an answer may have been applied, or be applied later: read before the next.
void stepper::answer_lost() {
  if (s_.lease) {
    s_.lease->sequence.reset();
    if (s_.request && s_.request->kind == request_kind::renew) {
      s_.lease->sure = false;
      s_.lease->renew_at = now_;
    }
  }
  s_.request.reset();
}

void stepper::restart_window() {
  if (!s_.seen)
    return;
  s_.seen->since = now_;
  s_.seen->changed = false;
}

void stepper::learn(std::uint64_t sequence, const std::optional<lease_record>& record) {
  if (record)
    note(*record, true);
  if (s_.seen && s_.seen->sequence == sequence && s_.seen->record == record) {
    s_.seen->heard = now_;
    return;
  }
  const bool changed = s_.seen && sequence > s_.seen->sequence;
  s_.seen = sight{sequence, record, now_, now_, changed};
}

/// `from_store`: where two claims have one epoch, because the store forgot one, its word counts.
void stepper::note(const lease_record& record, bool from_store) {
  s_.epoch_seen = std::max(s_.epoch_seen, record.epoch);
  auto& newest = s_.kept.newest;
  const bool other =
    newest && newest->epoch == record.epoch
    && (newest->holder != record.holder || newest->incarnation != record.incarnation);
  if (newest && (other ? !from_store : !older(*newest, record)))
    return;
  if (newest && record.epoch > newest->epoch && record.holder != c_.node)
    primary_moved();
  const bool lasts = !newest || lasting(*newest) != lasting(record);
  newest = record;
  if (lasts)
    remember();
}

bool stepper::mine(const lease_record& r) const {
  return s_.lease && r.epoch == s_.lease->record.epoch && r.holder == c_.node
         && r.incarnation == s_.lease->record.incarnation;
}

/// What was read while the lease is valid, so that nobody else can have a later claim, but that
/// the store may have gone back.
void stepper::judge_lease(std::uint64_t sequence, const std::optional<lease_record>& record) {
  auto& lease = *s_.lease;
  if (record && mine(*record)) {
    lease.sequence = sequence;
    if (!older(*record, lease.record)) {
      lease.record = *record;
      if (record->state == lease_state::released)
        released();
      return;
    }
  }
  // The store has forgotten some of what this claim wrote, or all: it is written again.
  if (!record || record->epoch < lease.record.epoch || mine(*record)) {
    lease.sequence = sequence;
    lease.renew_at = now_;
    return;
  }
  lose("the lease is '" + record->holder + "''s");
}

void stepper::judge_claim(std::uint64_t sequence, const std::optional<lease_record>& record) {
  const auto claimed = *s_.claim;
  if (record == claimed.record) {
    take_lease(claimed, sequence);
    return;
  }
  s_.claim.reset();
  s_.frozen.reset();
  enter(phase::following);
}

void stepper::take_lease(const pending_request& claim, std::uint64_t sequence) {
  s_.claim.reset();
  s_.lease = own_lease{*claim.record, claim.record->nonce, sequence,
                       true,          claim.sent,          claim.sent + t_.renew};
  enter(phase::promoting);
  emit(
    fx::audit{"lease-taken", "epoch " + std::to_string(claim.record->epoch)
                               + (s_.ordered_by.empty() ? "" : ", ordered by " + s_.ordered_by)});
  took_over();
  emit(fx::arm_guard{claim.sent + length_of(*claim.record), claim.record->epoch});
  expire();
}

void stepper::converse() {
  if (s_.connection == 0 || s_.request || now_ < s_.retry_at)
    return;
  if (!s_.lease) {
    if (s_.at == phase::claiming || !s_.seen || now_ >= s_.seen->heard + t_.renew)
      send_read();
    return;
  }
  if (!s_.lease->sequence) {
    send_read();
    return;
  }
  const auto wanted = wanted_record();
  const bool changes = lasting(wanted) != lasting(s_.lease->record);
  if (!changes && now_ < s_.lease->renew_at)
    return;
  if (wanted.state == lease_state::released) {
    s_.guard_deadline.reset();
    emit(fx::disarm_guard{});
  }
  send_cas(request_kind::renew, *s_.lease->sequence, wanted);
}

void stepper::send_read() {
  s_.request = pending_request{++s_.requests, request_kind::read, now_, {}};
  emit(fx::read{s_.requests, s_.connection});
}

void stepper::send_cas(request_kind kind, std::uint64_t expected, lease_record record) {
  if (s_.lease) {
    s_.lease->nonce = record.nonce; // never again, whatever becomes of it
    s_.lease->renew_at = now_ + t_.renew;
  }
  s_.request = pending_request{++s_.requests, kind, now_, record};
  emit(fx::cas{s_.requests, s_.connection, expected, std::move(record)});
}

} // namespace harmony::failover
