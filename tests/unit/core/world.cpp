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

// --- what happens

void world::desire_anew() {
  if (leaves_)
    return;
  wanted_ = "d" + std::to_string(++desires_);
  wanted_probes_ = dice_.chance(40) ? "p" + std::to_string(dice_.below(2)) : "";
  dependencies_ready_ = dice_.chance(80);
  seen_.reset();
  settled_ = false;
  feed(desired(), "desired");
}

failure world::some_failure() {
  static constexpr ec codes[] = {ec::runtime_unavailable, ec::timed_out, ec::disk_full,
                                 ec::permission_denied, ec::unit_failed};
  return {codes[dice_.below(std::size(codes))], "injected"};
}

void world::answer(bool faults) {
  if (in_flight_.empty())
    return;
  const auto op = in_flight_.front();
  in_flight_.clear();
  switch (op.kind) {
  case operation_kind::observe: answer_look(op, faults); break;
  case operation_kind::apply: answer_apply(op, faults); break;
  case operation_kind::remove: answer_removal(op, faults); break;
  case operation_kind::none: break;
  }
}

void world::answer_look(const operation& op, bool faults) {
  if (faults && (op.canceled ? dice_.chance(50) : dice_.chance(15))) {
    const ev::observe_failed e{op.number,
                               op.canceled ? failure{ec::canceled, "canceled"} : some_failure()};
    answered_.emplace_back(e);
    return feed(e, "observe_failed");
  }
  ev::observed e{op.number, {}, {}};
  if (foreign_)
    e.obstacle = failure{ec::name_conflict, "in the way"};
  else if (actual_ != op.desire)
    e.changes.push_back({action::update, "content", actual_, op.desire});
  if (!op.canceled) {
    seen_ = look{op.desire, e.changes.empty() && !e.obstacle};
    settled_ = settled_ || (seen_->equal && !state_.restart_due);
  }
  answered_.emplace_back(e);
  feed(e, "observed");
}

void world::answer_apply(const operation& op, bool faults) {
  const bool fails = op.canceled ? dice_.chance(60) : faults && dice_.chance(30);
  if (!fails || dice_.chance(30)) { // a failure may come after the deed
    actual_ = faults && dice_.chance(10) ? "garbled" : op.desire;
    alive_ = true;
  }
  seen_.reset();
  const lifecycle_event e = fails ? lifecycle_event{ev::apply_failed{
                              op.number, op.canceled ? failure{ec::canceled, "c"} : some_failure()}}
                                  : lifecycle_event{ev::applied{op.number}};
  answered_.push_back(e);
  feed(e, fails ? "apply_failed" : "applied");
}

void world::answer_removal(const operation& op, bool faults) {
  if (faults && dice_.chance(30)) {
    const ev::remove_failed e{op.number, some_failure()};
    answered_.emplace_back(e);
    return feed(e, "remove_failed");
  }
  actual_.clear();
  answered_.emplace_back(ev::removed{op.number});
  feed(ev::removed{op.number}, "removed");
}

void world::fire_timer() {
  if (timers_.empty())
    return;
  const auto i = dice_.below(timers_.size()); // old ones, too
  if (timers_[i].at > now_) {
    if (dice_.chance(50))
      return;
    now_ = timers_[i].at;
  }
  const auto epoch = timers_[i].epoch;
  timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(i));
  const auto before = state_;
  feed(ev::timer{epoch}, "timer");
  expect(before.next_retry && before.timer_epoch == epoch ? true : state_ == before,
         "a replaced timer did something");
}

void world::probe(bool faults) {
  if (!probes_running_) {
    if (faults)
      feed(ev::probed{ev::verdict::dead, "late"}, "late verdict");
    return;
  }
  const auto roll = faults ? dice_.below(3) : 0;
  alive_ = alive_ && roll != 2;
  const auto is = !alive_     ? ev::verdict::dead
                  : roll == 1 ? ev::verdict::not_ready
                              : ev::verdict::ready;
  feed(ev::probed{is, "probe"}, "probed");
}

void world::disturb() {
  now_ += std::chrono::milliseconds{dice_.chance(70) ? dice_.below(50) : dice_.below(3000)};
  const auto roll = dice_.below(100);
  if (roll < 8 || desires_ == 0)
    desire_anew();
  else if (roll < 11 && !wanted_.empty() && !leaves_)
    feed(desired(), "desired again");
  else if (roll < 13 && !wanted_.empty() && !leaves_) {
    wanted_probes_ = dice_.chance(50) ? "" : "p" + std::to_string(dice_.below(3));
    feed(desired(), "desired with other probes");
  } else if (roll < 18) {
    dependencies_ready_ = !dependencies_ready_;
    feed(ev::dependencies{dependencies_ready_, "File/x"}, "dependencies");
  } else if (roll < 20 && !leaves_) {
    wanted_.clear();
    seen_.reset();
    settled_ = false;
    feed(ev::rejected{{ec::invalid_spec, "no"}}, "rejected");
  } else if (roll < 21 && dice_.chance(50)) {
    leaves_ = true;
    feed(ev::remove{}, "remove");
  } else if (roll < 28 && !leaves_) {
    actual_ = dice_.chance(50) ? "tampered" : "";
    if (dice_.chance(60))
      feed(ev::hint{}, "hint of drift");
  } else if (roll < 31 && !leaves_)
    foreign_ = !foreign_;
  else if (roll < 38)
    feed(ev::hint{}, "hint");
  else if (roll < 42 && !answered_.empty())
    feed(answered_[dice_.below(answered_.size())], "an old answer");
  else if (roll < 50)
    probe(true);
  else if (roll < 65)
    fire_timer();
  else if (roll < 66)
    now_ += 11min;
  else
    answer(true);
}

void world::crash() {
  if (!in_flight_.empty() && in_flight_.front().kind == operation_kind::apply)
    actual_ = dice_.chance(50) ? in_flight_.front().desire : "half";
  in_flight_.clear();
  answered_.clear();
  timers_.clear();
  applies_.clear();
  well_since_.reset();
  probes_running_ = false;
  seen_.reset();
  settled_ = false;
  unseen_ = false;
  last_number_ = 0;
  state_ = {};
  story_.emplace_back("-- crash");
  if (leaves_)
    feed(ev::remove{}, "remove");
  else if (!wanted_.empty())
    feed(desired(), "desired");
}

bool world::settles() {
  story_.emplace_back("-- faults end");
  foreign_ = false;
  if (!leaves_ && wanted_.empty())
    desire_anew();
  if (!dependencies_ready_) {
    dependencies_ready_ = true;
    feed(ev::dependencies{true, ""}, "dependencies");
  }
  feed(ev::hint{}, "relist");
  const auto deadline = now_ + 10min;
  for (int i = 0; i < 100 && now_ < deadline; ++i) {
    if (!in_flight_.empty())
      answer(false);
    else if (probes_running_ && state_.phase == phase_t::probing)
      probe(false);
    else if (state_.next_retry) {
      now_ = std::max(now_, *state_.next_retry);
      feed(ev::timer{state_.timer_epoch}, "timer");
    } else
      break;
  }
  if (leaves_)
    return state_.phase == phase_t::removed && actual_.empty();
  return state_.phase == phase_t::ready && actual_ == wanted_
         && state_.applied_revision == "rev-" + wanted_ && in_flight_.empty();
}

} // namespace harmony::test
