// What each event does.

#include "core/lifecycle_stepper.hpp"

#include "core/lifecycle_facts.hpp"

namespace harmony {

using phase_t = resource_phase;

void stepper::operator()(const ev::desired& e) {
  if (leaving())
    return;
  s_.dependencies_ready = e.needs.ready;
  s_.waiting_for = e.needs.waiting_for;
  const bool same_probes = s_.probes == e.probes;
  s_.probes = e.probes;
  if (s_.desire == e.desire && s_.phase != phase_t::rejected) {
    if (!same_probes)
      probe_anew();
    if (s_.phase == phase_t::blocked)
      proceed();
    return;
  }
  const bool fresh = s_.desire.empty() && s_.operation == 0;
  forget_history();
  s_.desire = e.desire;
  s_.revision = e.revision;
  if (fresh) {
    s_.failures = e.failures;
    s_.restarts = e.restarts;
  }
  enter(phase_t::pending);
  if (!interrupt())
    proceed();
}

void stepper::operator()(const ev::dependencies& e) {
  s_.dependencies_ready = e.ready;
  s_.waiting_for = e.waiting_for;
  if ((s_.phase == phase_t::pending || s_.phase == phase_t::blocked) && !s_.desire.empty())
    proceed();
}

void stepper::operator()(const ev::rejected& e) {
  if (leaving())
    return;
  forget_history();
  s_.desire.clear();
  enter(phase_t::rejected, std::string{reason_of(e.why.code)}, e.why.message);
  interrupt();
}

void stepper::operator()(const ev::remove&) {
  if (leaving())
    return;
  forget_history();
  enter(phase_t::removing);
  if (!interrupt())
    proceed();
}

void stepper::operator()(const ev::observed& e) {
  if (!ends(operation_kind::observe, e.operation))
    return;
  s_.blind = 0;
  if (e.obstacle)
    fail(*e.obstacle);
  else if (e.changes.empty() && !s_.restart_due)
    in_place();
  else
    differs(e);
  if (s_.look_again && s_.running == operation_kind::none)
    start_look();
  s_.look_again = false;
}

void stepper::operator()(const ev::observe_failed& e) {
  if (!ends(operation_kind::observe, e.operation))
    return;
  s_.look_again = false;
  ++s_.blind;
  if (is_in_place() && is_transient(e.why.code) && s_.blind < max_blind_looks) {
    // A failed look taught nothing: the record stands, for a while. The prober's reason too,
    // since it comes only once.
    if (s_.phase == phase_t::ready)
      enter(phase_t::ready, std::string{reason_of(e.why.code)}, e.why.message);
    arm(c_.now + retry_delay(c_.backoff, s_.blind, c_.jitter));
    return;
  }
  fail(e.why);
}

void stepper::operator()(const ev::applied& e) {
  if (!ends(operation_kind::apply, e.operation))
    return;
  if (s_.restarting) // one that was asked for meanwhile is still due
    s_.restart_due = false;
  start_look();
}

void stepper::operator()(const ev::apply_failed& e) {
  if (ends(operation_kind::apply, e.operation))
    fail(e.why);
}

void stepper::operator()(const ev::removed& e) {
  if (!ends(operation_kind::remove, e.operation))
    return;
  disarm();
  enter(phase_t::removed);
}

void stepper::operator()(const ev::remove_failed& e) {
  if (!ends(operation_kind::remove, e.operation))
    return;
  ++s_.failures;
  enter(phase_t::removing, std::string{reason_of(e.why.code)}, e.why.message);
  arm(c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter));
}

void stepper::operator()(const ev::hint&) {
  if (s_.running == operation_kind::observe) {
    s_.look_again = true;
    return;
  }
  const bool may_look = is_in_place() || s_.phase == phase_t::failed || s_.phase == phase_t::drifted
                        || s_.phase == phase_t::observing;
  if (may_look && s_.running == operation_kind::none)
    start_look();
}

void stepper::operator()(const ev::timer& e) {
  if (e.epoch != s_.timer_epoch || !s_.next_retry)
    return;
  s_.next_retry.reset();
  proceed();
}

void stepper::operator()(const ev::probed& e) {
  if (!s_.probes_running)
    return;
  switch (e.is) {
  case ev::verdict::ready:
    s_.probes_passed = true;
    if (s_.phase == phase_t::probing)
      become_ready();
    return;
  case ev::verdict::not_ready:
    s_.probes_passed = false;
    enter(phase_t::probing, std::string{reason_of(ec::probe_failed)}, e.message);
    return;
  case ev::verdict::dead:
    s_.restart_due = true;
    drift(std::string{reason_of(ec::probe_failed)}, e.message);
    if (s_.running == operation_kind::none)
      apply_when_due({});
    return;
  }
}

void stepper::operator()(const ev::restart& e) {
  if (leaving() || s_.phase == phase_t::rejected || s_.desire.empty())
    return;
  s_.restart_due = true;
  s_.failures = 0;
  s_.not_before = {};
  if (is_in_place()) {
    stop_probes();
    s_.healthy_since.reset();
    enter(phase_t::drifted, "RestartRequested", e.message);
  }
  if (s_.running == operation_kind::none && !must_wait())
    start_look();
}

void stepper::operator()(const ev::held& e) {
  const bool was_held = is_held();
  s_.held_until = e.until;
  s_.held_message = e.message;
  // What waits learns of it by the look that its timer would have led to.
  if (s_.next_retry && (was_held || is_held()))
    proceed();
}

lifecycle_step step(const lifecycle& state, const lifecycle_event& event,
                    const lifecycle_context& context) {
  lifecycle_step result{state, {}};
  stepper machine{result.state, context};
  std::visit(machine, event);
  result.effects = machine.take_effects();
  if (shown(state) != shown(result.state))
    result.effects.emplace_back(fx::publish{});
  return result;
}

} // namespace harmony
