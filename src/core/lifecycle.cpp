#include "core/lifecycle.hpp"

#include <utility>

#include "core/lifecycle_facts.hpp"

namespace harmony {

namespace {

using phase_t = resource_phase;

/// One step's working state: the machine's value and the effects so far.
class stepper {
public:
  stepper(lifecycle& state, const lifecycle_context& context) : s_(state), c_(context) {}

  std::vector<lifecycle_effect> take_effects() { return std::move(effects_); }

  void operator()(const ev::desired& e) {
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
    forget_history();
    s_.desire = e.desire;
    s_.revision = e.revision;
    enter(phase_t::pending);
    if (!interrupt())
      proceed();
  }

  void operator()(const ev::dependencies& e) {
    s_.dependencies_ready = e.ready;
    s_.waiting_for = e.waiting_for;
    if ((s_.phase == phase_t::pending || s_.phase == phase_t::blocked) && !s_.desire.empty())
      proceed();
  }

  void operator()(const ev::rejected& e) {
    if (leaving())
      return;
    forget_history();
    s_.desire.clear();
    enter(phase_t::rejected, std::string{reason_of(e.why.code)}, e.why.message);
    interrupt();
  }

  void operator()(const ev::remove&) {
    if (leaving())
      return;
    forget_history();
    enter(phase_t::removing);
    if (!interrupt())
      proceed();
  }

  void operator()(const ev::observed& e) {
    if (!ends(operation_kind::observe, e.operation))
      return;
    s_.blind = 0;
    if (e.obstacle)
      fail(*e.obstacle);
    else if (e.changes.empty() && !s_.restart_due)
      in_place();
    else
      differs(e.changes);
    if (s_.look_again && s_.running == operation_kind::none)
      start_look();
    s_.look_again = false;
  }

  void operator()(const ev::observe_failed& e) {
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

  void operator()(const ev::applied& e) {
    if (!ends(operation_kind::apply, e.operation))
      return;
    s_.restart_due = false;
    start_look();
  }

  void operator()(const ev::apply_failed& e) {
    if (ends(operation_kind::apply, e.operation))
      fail(e.why);
  }

  void operator()(const ev::removed& e) {
    if (!ends(operation_kind::remove, e.operation))
      return;
    disarm();
    enter(phase_t::removed);
  }

  void operator()(const ev::remove_failed& e) {
    if (!ends(operation_kind::remove, e.operation))
      return;
    ++s_.failures;
    enter(phase_t::removing, std::string{reason_of(e.why.code)}, e.why.message);
    arm(c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter));
  }

  void operator()(const ev::hint&) {
    if (s_.running == operation_kind::observe) {
      s_.look_again = true;
      return;
    }
    const bool may_look = is_in_place() || s_.phase == phase_t::failed
                          || s_.phase == phase_t::drifted || s_.phase == phase_t::observing;
    if (may_look && s_.running == operation_kind::none)
      start_look();
  }

  void operator()(const ev::timer& e) {
    if (e.epoch != s_.timer_epoch || !s_.next_retry)
      return;
    s_.next_retry.reset();
    proceed();
  }

  void operator()(const ev::probed& e) {
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

private:
  [[nodiscard]] bool leaving() const {
    return s_.phase == phase_t::removing || s_.phase == phase_t::removed;
  }

  [[nodiscard]] bool is_in_place() const {
    return s_.phase == phase_t::ready || s_.phase == phase_t::probing;
  }

  void enter(phase_t to, std::string reason = {}, std::string message = {}) {
    s_.phase = to;
    s_.reason = std::move(reason);
    s_.message = std::move(message);
  }

  /// Whether this answer belongs to the operation in flight and to the present desire. Ends the
  /// operation; of a superseded one only the end matters.
  bool ends(operation_kind kind, std::uint64_t operation) {
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

  /// Cancels the operation in flight; what follows waits for its answer. False when there is none.
  bool interrupt() {
    if (s_.running == operation_kind::none)
      return false;
    if (!s_.superseded)
      effects_.emplace_back(fx::cancel{s_.operation});
    s_.superseded = true;
    return true;
  }

  /// A new desire starts with a clean record.
  void forget_history() {
    stop_probes();
    disarm();
    s_.failures = 0;
    s_.failing = false;
    s_.blind = 0;
    s_.attempts = 0;
    s_.not_before = {};
    s_.settled = false;
    s_.restart_due = false;
    s_.healthy_since.reset();
  }

  /// Does the next thing, now that no operation is in flight.
  void proceed() {
    if (s_.running != operation_kind::none)
      return;
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

  /// Dependencies count until the desire was once in place.
  [[nodiscard]] bool must_wait() const { return !s_.dependencies_ready && !s_.settled; }

  void block() {
    disarm();
    enter(phase_t::blocked, "DependencyNotReady", "waits for " + s_.waiting_for);
  }

  void start(operation_kind kind) {
    s_.running = kind;
    ++s_.operation;
  }

  void start_look() {
    if (s_.phase == phase_t::pending || s_.phase == phase_t::blocked)
      enter(phase_t::observing);
    start(operation_kind::observe);
    effects_.emplace_back(fx::observe{s_.operation});
  }

  void start_apply(std::vector<change> changes) {
    if (s_.restart_due)
      changes.push_back({action::restart, "liveness", "dead", "alive"});
    disarm();
    ++s_.attempts;
    enter(phase_t::applying, s_.reason, s_.message);
    start(operation_kind::apply);
    effects_.emplace_back(fx::apply{s_.operation, std::move(changes)});
  }

  void apply_when_due(std::vector<change> changes) {
    if (must_wait())
      block();
    else if (c_.now >= s_.not_before)
      start_apply(std::move(changes));
    else
      arm(s_.not_before);
  }

  /// The look found it equal to its desire.
  void in_place() {
    disarm();
    s_.applied_revision = s_.revision;
    s_.settled = true;
    probe_or_be_ready();
  }

  void probe_or_be_ready() {
    if (s_.probes.empty() || s_.probes_passed) {
      become_ready();
      return;
    }
    if (s_.phase != phase_t::probing)
      enter(phase_t::probing);
    start_probes();
  }

  void become_ready() {
    enter(phase_t::ready);
    s_.failing = false;
    if (!s_.healthy_since)
      s_.healthy_since = c_.now;
  }

  /// The look found differences.
  void differs(const std::vector<change>& changes) {
    switch (s_.phase) {
    case phase_t::ready:
    case phase_t::probing: drift("Drifted", describe(changes)); break;
    case phase_t::applying:
      fail({ec::not_converged, "after the change it still differs: " + describe(changes)});
      return;
    default: break;
    }
    apply_when_due(changes);
  }

  /// It is in place no more. The first repair is immediate; those soon after it back off; after
  /// long health the backoff starts over.
  void lose() {
    if (s_.healthy_since && c_.now - *s_.healthy_since >= c_.backoff.healthy_after)
      s_.failures = 0;
    s_.healthy_since.reset();
    s_.not_before = c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter);
    ++s_.failures;
    stop_probes();
  }

  void drift(std::string reason, std::string message) {
    lose();
    enter(phase_t::drifted, std::move(reason), std::move(message));
  }

  /// It could not be put in place, or seen there. After an apply, or the look at what it did, there
  /// is no other apply before the retry; after any other failure a hint may lead to one sooner.
  void fail(const failure& why) {
    if (is_in_place())
      lose();
    else
      ++s_.failures;
    s_.failing = true;
    const auto at = c_.now + retry_delay(c_.backoff, s_.failures, c_.jitter);
    if (s_.phase == phase_t::applying)
      s_.not_before = at;
    enter(phase_t::failed, std::string{reason_of(why.code)}, why.message);
    arm(at);
  }

  void arm(instant at) {
    if (s_.next_retry == at)
      return;
    ++s_.timer_epoch;
    s_.next_retry = at;
    effects_.emplace_back(fx::arm{s_.timer_epoch, at});
  }

  void disarm() {
    ++s_.timer_epoch;
    s_.next_retry.reset();
  }

  void start_probes() {
    if (s_.probes_running)
      return;
    s_.probes_running = true;
    effects_.emplace_back(fx::start_probes{});
  }

  void stop_probes() {
    s_.probes_passed = false;
    if (!s_.probes_running)
      return;
    s_.probes_running = false;
    effects_.emplace_back(fx::stop_probes{});
  }

  /// The probes of a settled resource were changed: nothing on the device is touched.
  void probe_anew() {
    stop_probes();
    if (!is_in_place())
      return;
    enter(phase_t::probing);
    probe_or_be_ready();
  }

  lifecycle& s_;
  const lifecycle_context& c_;
  std::vector<lifecycle_effect> effects_;
};

} // namespace

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
