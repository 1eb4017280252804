// What happens to a lifecycle machine in its hostile world, and how the device answers.

#include <algorithm>

#include "unit/core/world.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using phase_t = resource_phase;

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

void world::hold() {
  held_until_.reset();
  if (dice_.chance(60))
    held_until_ = now_ + std::chrono::milliseconds{dice_.below(300'000)};
  feed(ev::held{held_until_, "by the test"}, held_until_ ? "held" : "released");
}

void world::restart() {
  applies_.clear(); // what failed before is forgiven
  feed(ev::restart{"by the test"}, "restart");
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
  else if (roll < 68)
    hold();
  else if (roll < 70)
    restart();
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
  state_.held_until = held_until_; // the shell remembers it
  if (leaves_)
    feed(ev::remove{}, "remove");
  else if (!wanted_.empty())
    feed(desired(), "desired");
}

bool world::settles() {
  story_.emplace_back("-- faults end");
  foreign_ = false;
  if (held_until_ && dice_.chance(50)) { // otherwise it ends by itself
    held_until_.reset();
    feed(ev::held{}, "released");
  }
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
