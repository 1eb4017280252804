#include "unit/core/world.hpp"

#include <algorithm>
#include <tuple>

#include "unit/core/rig.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace {

using phase_t = resource_phase;

bool leaving(const lifecycle& s) {
  return s.phase == phase_t::removing || s.phase == phase_t::removed;
}

auto shown(const lifecycle& s) {
  return std::tie(s.phase, s.revision, s.applied_revision, s.reason, s.message, s.next_retry,
                  s.attempts);
}

} // namespace

void world::expect(bool ok, const char* what) {
  if (!ok && violation_.empty())
    violation_ = what;
}

std::string world::story() const {
  std::string text;
  for (const auto& line : story_)
    text += line + "\n";
  return text;
}

ev::desired world::desired() const {
  return {wanted_, "rev-" + wanted_, wanted_probes_, {dependencies_ready_, "File/x"}};
}

// --- the machine and its shell

void world::feed(const lifecycle_event& e, const char* name) {
  const auto before = state_;
  last_number_before_ = last_number_;
  auto next = step(state_, e, {now_, policy_, dice_.unit()});
  state_ = std::move(next.state);

  auto line = std::string{name} + " -> " + text(state_.phase);
  for (const auto& each : next.effects)
    line += ", " + text(each, now_);
  story_.push_back(std::move(line));

  for (const auto& each : next.effects)
    perform(each, before);
  const auto published =
    std::count_if(next.effects.begin(), next.effects.end(),
                  [](const auto& each) { return std::holds_alternative<fx::publish>(each); });
  expect(published <= 1, "published twice in one step");
  expect(published == 1 || shown(before) == shown(state_), "a change was not published");
  hold_invariants(before, e);
}

void world::perform(const lifecycle_effect& effect, const lifecycle& before) {
  if (const auto* observe = std::get_if<fx::observe>(&effect)) {
    start({observe->operation, operation_kind::observe, state_.desire, {}});
    expect(!leaving(state_) && state_.phase != phase_t::rejected, "looked without a desire");
  } else if (const auto* apply = std::get_if<fx::apply>(&effect)) {
    perform_apply(*apply, before);
  } else if (const auto* removal = std::get_if<fx::remove>(&effect)) {
    start({removal->operation, operation_kind::remove, {}, {}});
    expect(leaves_, "removed what is desired");
    expect(!is_held(), "removed while it is held");
  } else if (const auto* cancel = std::get_if<fx::cancel>(&effect)) {
    perform_cancel(*cancel);
  } else if (const auto* arm = std::get_if<fx::arm>(&effect)) {
    timers_.push_back({arm->epoch, arm->at});
    expect(arm->at <= now_ + policy_.cap + policy_.cap / 2, "a timer far beyond the cap");
  } else if (std::holds_alternative<fx::start_probes>(effect)) {
    expect(!probes_running_, "started running probes");
    probes_running_ = true;
  } else if (std::holds_alternative<fx::stop_probes>(effect)) {
    expect(probes_running_, "stopped probes that do not run");
    probes_running_ = false;
  }
}

void world::start(operation op) {
  if (op.kind == operation_kind::observe)
    unseen_ = false;
  expect(in_flight_.empty(), "two operations in flight");
  expect(op.number > last_number_, "an operation number was used before");
  last_number_ = op.number;
  in_flight_.push_back(std::move(op));
}

void world::perform_apply(const fx::apply& e, const lifecycle& before) {
  start({e.operation, operation_kind::apply, state_.desire, e.changes});
  expect(!e.changes.empty(), "an apply of nothing");
  expect(!leaving(state_) && state_.phase == phase_t::applying, "an apply in the wrong phase");
  expect(state_.desire == wanted_, "an apply of an old desire");
  expect(!is_held(), "an apply while it is held");
  expect(dependencies_ready_ || settled_, "an apply while a dependency is not ready");
  expect(state_.not_before <= now_, "an apply before its backoff");
  expect(before.desire != state_.desire || before.not_before <= now_
           || before.not_before != state_.not_before,
         "the backoff was shortened for an apply");
  // Told without the machine's own book: the first may be followed at once by the repair of a first
  // drift; from then on they are spaced.
  if (applies_.size() >= 2)
    expect(now_ - applies_.back() >= policy_.base * 9 / 10, "applies without a pause");
  if (applies_.size() >= 12)
    expect(now_ - applies_[applies_.size() - 10] >= 5min, "applies without growing pauses");
  applies_.push_back(now_);
}

void world::perform_cancel(const fx::cancel& e) {
  if (in_flight_.empty() || in_flight_.front().number != e.operation)
    return expect(false, "canceled what is not in flight");
  expect(!in_flight_.front().canceled, "canceled twice");
  in_flight_.front().canceled = true;
}

void world::hold_invariants(const lifecycle& before, const lifecycle_event& event) {
  hold_phase_order(before, event);
  const auto& s = state_;
  expect((s.running == operation_kind::none) == in_flight_.empty(), "lost count of what runs");
  expect(s.probes_running == probes_running_, "lost count of the probes");
  expect(!probes_running_ || s.phase == phase_t::ready || s.phase == phase_t::probing,
         "probes run on what is not in place");
  if (s.phase == phase_t::ready || s.phase == phase_t::probing)
    expect(seen_ && seen_->equal && seen_->desire == wanted_ && s.desire == wanted_,
           "called in place without a look that says so");
  if (s.phase == phase_t::ready)
    expect(s.probes.empty() || s.probes_passed, "called ready before its probes passed");

  const bool waits = s.phase == phase_t::failed || s.phase == phase_t::drifted
                     || s.phase == phase_t::removing || s.phase == phase_t::observing
                     || s.phase == phase_t::applying;
  if (in_flight_.empty() && waits) {
    expect(s.next_retry.has_value(), "stuck: nothing in flight and no timer");
    const auto armed = std::find_if(timers_.begin(), timers_.end(), [&](const timer& t) {
      return t.epoch == s.timer_epoch && t.at == s.next_retry;
    });
    expect(!s.next_retry || armed != timers_.end(), "its timer was never armed");
  }
  if (in_flight_.empty() && s.phase == phase_t::pending)
    expect(wanted_.empty(), "stuck: pending with a desire");
  if (s.phase == phase_t::blocked)
    expect(!dependencies_ready_, "stuck: blocked with its dependencies ready");
  expect(s.timer_epoch >= before.timer_epoch, "an epoch went back");

  hold_hints(before, event);

  // For the spacing of applies: ten healthy minutes, or a new desire, start it over.
  if (s.desire != before.desire)
    applies_.clear();
  const bool well = s.phase == phase_t::ready || s.phase == phase_t::probing;
  if (s.phase == phase_t::ready && !well_since_)
    well_since_ = now_;
  if (!well) {
    if (well_since_ && now_ - *well_since_ >= policy_.healthy_after) {
      const auto current = !applies_.empty() && applies_.back() == now_;
      applies_.clear();
      if (current)
        applies_.push_back(now_);
    }
    well_since_.reset();
  }
}

void world::hold_hints(const lifecycle& before, const lifecycle_event& event) {
  const auto phase = state_.phase;
  const bool in_place = phase == phase_t::ready || phase == phase_t::probing;
  const bool hinted = std::holds_alternative<ev::hint>(event);
  const bool blind = in_place && before.running == operation_kind::observe
                     && std::holds_alternative<ev::observe_failed>(event)
                     && state_.operation == before.operation;
  if (hinted || (blind && in_flight_.empty()))
    unseen_ = in_flight_.empty() || in_flight_.front().kind != operation_kind::observe
              || in_flight_.front().number == last_number_before_;
  if (in_place && in_flight_.empty())
    expect(!unseen_ || state_.next_retry, "a hint was never followed by a look");
  const bool listens = in_place || phase == phase_t::failed || phase == phase_t::drifted
                       || phase == phase_t::observing || phase == phase_t::applying;
  expect(!hinted || !listens || !in_flight_.empty(), "deaf to a hint");
}

void world::hold_phase_order(const lifecycle& before, const lifecycle_event& event) {
  if (before.phase == phase_t::removed)
    expect(state_.phase == phase_t::removed, "came back from removed");
  if (before.phase == phase_t::removing)
    expect(leaving(state_), "turned back from removing");
  if (before.phase == phase_t::rejected && state_.phase != phase_t::rejected)
    expect(std::holds_alternative<ev::desired>(event) || std::holds_alternative<ev::remove>(event),
           "left rejected by itself");
  if (state_.phase == phase_t::removed)
    expect(actual_.empty(), "called removed while it is there");
}

} // namespace harmony::test
