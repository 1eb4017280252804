// The steps that events share.

#include "core/lifecycle_stepper.hpp"

#include "core/lifecycle_facts.hpp"

namespace harmony {

using phase_t = resource_phase;

bool stepper::leaving() const {
  return s_.phase == phase_t::removing || s_.phase == phase_t::removed;
}

bool stepper::is_in_place() const {
  return s_.phase == phase_t::ready || s_.phase == phase_t::probing;
}

void stepper::enter(phase_t to, std::string reason, std::string message) {
  s_.phase = to;
  s_.reason = std::move(reason);
  s_.message = std::move(message);
}

bool stepper::ends(operation_kind kind, std::uint64_t operation) {
  if (s_.running != kind || s_.operation != operation)
    return false;
  s_.running = operation_kind::none;
  if (!s_.superseded)
    return true;
  s_.superseded = false;
  s_.look_again = false;
  proceed();
  return false;
}

bool stepper::interrupt() {
  if (s_.running == operation_kind::none)
    return false;
  if (!s_.superseded)
    effects_.emplace_back(fx::cancel{s_.operation});
  s_.superseded = true;
  return true;
}

void stepper::forget_history() {
  stop_probes();
  disarm();
  s_.failures = 0;
  s_.failing = false;
  s_.blind = 0;
  s_.attempts = 0;
  s_.restarts = 0;
  s_.not_before = {};
  s_.settled = false;
  s_.restart_due = false;
  s_.healthy_since.reset();
}

void stepper::proceed() {
  if (s_.running != operation_kind::none)
    return;
  if (s_.phase == phase_t::removing && is_held()) {
    wait_for_release();
    return;
  }
  if (s_.phase == phase_t::removing) {
    start(operation_kind::remove);
    effects_.emplace_back(fx::remove{s_.operation});
    return;
  }
  if (s_.phase == phase_t::removed || s_.phase == phase_t::rejected || s_.desire.empty())
    return;
  if (must_wait())
    block();
  else
    start_look();
}

void stepper::block() {
  disarm();
  enter(phase_t::blocked, "DependencyNotReady", "waits for " + s_.waiting_for);
}

void stepper::start(operation_kind kind) {
  s_.running = kind;
  ++s_.operation;
}

void stepper::start_look() {
  if (s_.phase == phase_t::pending || s_.phase == phase_t::blocked)
    enter(phase_t::observing);
  start(operation_kind::observe);
  effects_.emplace_back(fx::observe{s_.operation});
}

void stepper::start_apply(std::vector<change> changes) {
  s_.restarting = s_.restart_due;
  if (s_.restarting)
    changes.push_back({action::restart, std::string{restart_field}, {}, {}});
  disarm();
  ++s_.attempts;
  enter(phase_t::applying, s_.reason, s_.message);
  start(operation_kind::apply);
  effects_.emplace_back(fx::apply{s_.operation, std::move(changes)});
}

void stepper::apply_when_due(std::vector<change> changes) {
  if (must_wait())
    block();
  else if (is_held())
    wait_for_release();
  else if (c_.now >= s_.not_before)
    start_apply(std::move(changes));
  else
    arm(s_.not_before);
}

void stepper::wait_for_release() {
  if (s_.phase != phase_t::failed)
    enter(s_.phase, "Held", s_.held_message);
  arm(*s_.held_until);
}

void stepper::in_place() {
  disarm();
  s_.applied_revision = s_.revision;
  if (!s_.settled && s_.attempts == 0)
    s_.failures = 0; // in place without help: what is remembered of it is history
  s_.settled = true;
  probe_or_be_ready();
}

void stepper::probe_or_be_ready() {
  if (s_.probes.empty() || s_.probes_passed) {
    become_ready();
    return;
  }
  if (s_.phase != phase_t::probing)
    enter(phase_t::probing);
  start_probes();
}

void stepper::become_ready() {
  enter(phase_t::ready);
  s_.failing = false;
  if (!s_.healthy_since)
    s_.healthy_since = c_.now;
}

void stepper::differs(const ev::observed& e) {
  const auto& changes = e.changes;
  switch (s_.phase) {
  case phase_t::ready:
  case phase_t::probing:
    drift("Drifted", describe(changes));
    if (is_crash(changes))
      call_crash_loop();
    break;
  case phase_t::applying:
    if (changes.empty()) { // a restart was asked for meanwhile
      enter(phase_t::drifted, "RestartRequested");
      break;
    }
    fail(e.cause
           ? *e.cause
           : failure{ec::not_converged, "after the change it still differs: " + describe(changes)});
    return;
  default: break;
  }
  apply_when_due(changes);
}

void stepper::lose() {
  if (s_.healthy_since && c_.now - *s_.healthy_since >= c_.backoff.healthy_after)
    s_.failures = 0;
  s_.healthy_since.reset();
  s_.not_before = c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter);
  ++s_.failures;
  stop_probes();
}

void stepper::drift(std::string reason, std::string message) {
  lose();
  ++s_.restarts;
  enter(phase_t::drifted, std::move(reason), std::move(message));
}

/// What a hint led to look at while a retry is due later is no attempt: hints may come by the
/// dozen, and a drift after them would be repaired minutes later.
void stepper::fail(const failure& why) {
  const bool hinted = s_.phase == phase_t::failed && s_.next_retry;
  if (is_in_place())
    lose();
  else if (!hinted)
    ++s_.failures;
  s_.failing = true;
  const auto at =
    hinted ? *s_.next_retry : c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter);
  if (s_.phase == phase_t::applying)
    s_.not_before = at;
  enter(phase_t::failed, std::string{reason_of(why.code)}, why.message);
  if (is_crash(why.code))
    call_crash_loop();
  arm(at);
}

void stepper::call_crash_loop() {
  if (s_.failures < crash_loop)
    return;
  s_.reason = "CrashLoopBackOff";
  s_.message = "ended " + std::to_string(s_.failures) + " times in a row; the last: " + s_.message;
}

void stepper::arm(instant at) {
  if (s_.next_retry == at)
    return;
  ++s_.timer_epoch;
  s_.next_retry = at;
  effects_.emplace_back(fx::arm{s_.timer_epoch, at});
}

void stepper::disarm() {
  ++s_.timer_epoch;
  s_.next_retry.reset();
}

void stepper::start_probes() {
  if (s_.probes_running)
    return;
  s_.probes_running = true;
  effects_.emplace_back(fx::start_probes{});
}

void stepper::stop_probes() {
  s_.probes_passed = false;
  if (!s_.probes_running)
    return;
  s_.probes_running = false;
  effects_.emplace_back(fx::stop_probes{});
}

void stepper::probe_anew() {
  stop_probes();
  if (!is_in_place())
    return;
  enter(phase_t::probing);
  probe_or_be_ready();
}

} // namespace harmony
