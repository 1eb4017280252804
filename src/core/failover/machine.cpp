// What every phase has in common: time, PostgreSQL's state, the operations on it, heartbeats.

#include "core/failover/machine.hpp"

#include <algorithm>
#include <array>

#include "core/failover/stepper.hpp"

namespace harmony::failover {

using namespace std::chrono_literals;

namespace {

/// Before an operation on PostgreSQL that failed is tried again.
constexpr duration retry_base = 500ms;
constexpr std::uint32_t retry_doublings = 4;

/// Phases that one event can lead through.
constexpr int most_phases = 8;

} // namespace

std::string_view word_of(phase p) noexcept {
  constexpr std::array<std::string_view, 8> words{"Following", "Freezing", "Electing",  "Claiming",
                                                  "Promoting", "Holding",  "Releasing", "Demoting"};
  return words[static_cast<std::size_t>(p)];
}

machine begin(memory kept) {
  machine m;
  m.kept = std::move(kept);
  return m;
}

machine resume(memory kept, const lease_record& record, instant deadline, instant now) {
  auto m = begin(std::move(kept));
  m.at = record.state == lease_state::promoting ? phase::promoting : phase::holding;
  m.pause_wanted = record.paused;
  // Beyond all that it counted before, of which there was less than one a millisecond.
  m.beats = static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  m.lease = own_lease{record, record.nonce, {}, false, deadline - length_of(record), {}};
  return m;
}

step_result step(machine state, const event& e, instant now, const config& c) {
  step_result result{std::move(state), {}};
  stepper each{result.state, now, c};
  each.begin();
  std::visit(each, e);
  each.act();
  result.actions = each.take_actions();
  return result;
}

/// Before anything else: what time alone has changed.
void stepper::begin() {
  // It was not there to see whether the record changed, or changed and changed back; nor whether
  // PostgreSQL streamed.
  if (s_.last_step && now_ - *s_.last_step > 2 * t_.renew) {
    restart_window();
    s_.not_streaming_since.reset();
  }
  s_.last_step = now_;
  expire();
}

void stepper::operator()(const ev::observed& e) {
  const auto& is = e.is;
  if (s_.pg && is.after < s_.pg->after)
    return;
  if (s_.pg && s_.pg->receives && is.receives && is.received > s_.pg->received)
    s_.wal_at = now_;
  if (!s_.pg || is.replayed != s_.pg->replayed)
    s_.replay_at = now_;
  s_.pg = is;
  if (is.running)
    s_.down_since.reset();
  else if (!s_.down_since)
    s_.down_since = now_;
}

void stepper::operator()(const ev::operation_done& e) {
  auto& op = s_.operation;
  if (op.kind == operation_kind::none || e.operation != op.number)
    return;
  const auto kind = std::exchange(op.kind, operation_kind::none);
  if (e.ok) {
    op.failures = 0;
    op.not_before = {};
    if (kind == operation_kind::stop)
      s_.stopped = true;
    if (kind == operation_kind::rewind || kind == operation_kind::reclone) {
      s_.kept.damaged = false;
      s_.kept.maker.clear();
      s_.kept.left = 0;
      s_.rejoin = rejoin_step::follow;
      s_.rewound = s_.kept.newest ? s_.kept.newest->epoch : 0;
      s_.not_streaming_since.reset();
      remember();
    }
    return;
  }
  op.not_before = now_ + retry_base * (1U << std::min(op.failures, retry_doublings));
  ++op.failures;
  emit(fx::alarm{e.message});
  if (kind == operation_kind::promote)
    release("PostgreSQL could not be promoted: " + e.message);
}

void stepper::operator()(const ev::guard& e) {
  s_.guard_healthy = e.healthy;
  s_.guard_deadline = e.deadline;
}

void stepper::operator()(const ev::heartbeat& e) {
  const auto& b = e.beat;
  if (s_.connection == 0 || e.connection != s_.connection)
    return;
  s_.epoch_seen = std::max(s_.epoch_seen, b.epoch);
  if (b.newest)
    note(*b.newest, false);
  if (b.node == c_.node && b.incarnation == c_.incarnation)
    return;
  if (b.priority == 0)
    s_.promotable.erase(b.node);
  else if (std::find(c_.members.begin(), c_.members.end(), b.node) != c_.members.end())
    s_.promotable.insert(b.node);
  const auto [at, fresh] = s_.peers.try_emplace(b.node, peer{b, false, now_, now_});
  if (fresh)
    return;
  auto& p = at->second;
  if (p.beat.incarnation == b.incarnation && b.beat <= p.beat.beat)
    return;
  p = peer{b, true, p.first, now_};
}

/// Another agent of this name that goes on for longer than what a predecessor's last words may
/// take, and was there before.
bool stepper::is_duplicate() const {
  const auto at = s_.peers.find(c_.node);
  return at != s_.peers.end() && alive(at->second)
         && at->second.seen - at->second.first >= t_.window && at->second.beat.beat > s_.beats;
}

void stepper::operator()(const ev::shutdown&) {
  s_.shutting_down = true;
  s_.handing_over = true;
}

void stepper::act() {
  if (is_duplicate() != s_.duplicate) {
    s_.duplicate = !s_.duplicate;
    if (s_.duplicate)
      emit(fx::alarm{std::string{text_of(refusal::duplicate_node)}});
  }
  give_up_slow_request();
  tend_orders();
  for (int i = 0; i < most_phases; ++i) {
    const auto before = s_.at;
    act_once();
    if (s_.at == before)
      break;
  }
  converse();
  beat();
  wake();
}

void stepper::act_once() {
  switch (s_.at) {
  case phase::following: return following();
  case phase::freezing: return freezing();
  case phase::electing: return electing();
  case phase::claiming: return claiming();
  case phase::promoting: return promoting();
  case phase::holding: return holding();
  case phase::releasing: return releasing();
  case phase::demoting: return demoting();
  }
}

void stepper::enter(phase p) {
  if (p == s_.at)
    return;
  s_.at = p;
  s_.stopped = false;
  s_.operation.not_before = {};
  beat_now();
}

void stepper::remember() {
  emit(fx::remember{s_.kept});
}

bool stepper::known() const {
  return s_.pg && s_.operation.kind == operation_kind::none && s_.pg->after >= s_.operation.number;
}

bool stepper::is_standby() const {
  return known() && s_.pg->running && s_.pg->in_recovery;
}

bool stepper::is_primary() const {
  return known() && s_.pg->running && !s_.pg->in_recovery;
}

bool stepper::may_operate() const {
  return known() && now_ >= s_.operation.not_before;
}

std::uint64_t stepper::operate(operation_kind kind) {
  s_.operation.kind = kind;
  return ++s_.operation.number;
}

/// Does not wait for another operation: what writes must end.
void stepper::stop() {
  if (s_.operation.kind != operation_kind::stop && now_ >= s_.operation.not_before)
    emit(fx::stop_fast{operate(operation_kind::stop)});
}

void stepper::beat() {
  if (s_.connection == 0 || s_.duplicate || (s_.beat_at && now_ < *s_.beat_at))
    return;
  s_.beat_at = now_ + t_.renew;
  member_heartbeat b;
  b.node = c_.node;
  b.incarnation = c_.incarnation;
  b.beat = ++s_.beats;
  b.epoch = epoch_known();
  b.newest = s_.kept.newest;
  b.electable = electable();
  b.priority = c_.priority;
  b.frozen = s_.frozen;
  if (s_.pg) {
    const auto& pg = *s_.pg;
    if (pg.running)
      b.role = !pg.in_recovery                    ? member_role::primary
               : s_.rejoin == rejoin_step::follow ? member_role::standby
                                                  : member_role::rejoining;
    b.system_id = pg.system_id;
    b.timeline = pg.timeline;
    b.checkpoint_timeline = pg.checkpoint_timeline;
    b.received = pg.end();
    b.replayed = pg.replayed;
  }
  emit(fx::publish_heartbeat{std::move(b)});
}

void stepper::wake() {
  auto at = now_ + t_.renew;
  const auto by = [&](instant other) {
    if (other > now_)
      at = std::min(at, other);
  };
  if (s_.beat_at)
    by(*s_.beat_at);
  if (s_.lease) {
    by(s_.lease->renew_at);
    by(stop_at());
  }
  if (s_.request)
    by(s_.request->sent + t_.request);
  if (s_.seen && !s_.lease) {
    by(s_.seen->since + window());
    by(s_.seen->heard + t_.renew);
  }
  by(s_.retry_at);
  by(s_.operation.not_before);
  s_.wake_at = at;
  emit(fx::wake{at});
}

} // namespace harmony::failover
