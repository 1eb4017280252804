#include "guard/machine.hpp"

namespace harmony::guard {

namespace {

decision refuse(const state& s, refusal why) {
  return {s, effect::none, why};
}

decision kill(state s, ending why) {
  s.now = phase::killing;
  if (why != ending::none)
    s.ended = why;
  return {s, effect::kill_tree};
}

class stepper {
public:
  stepper(const state& s, boot_time now) : s_(s), now_(now) {}

  decision operator()(const arm& a) const {
    if (a.epoch < s_.epoch)
      return refuse(s_, refusal::stale_epoch);
    if (a.deadline <= now_)
      return refuse(s_, refusal::past);
    if (a.deadline - now_ > longest_lease)
      return refuse(s_, refusal::too_far);
    if (a.deadline < s_.deadline)
      return refuse(s_, refusal::not_later);
    auto next = s_;
    next.epoch = a.epoch;
    next.deadline = a.deadline;
    return {next};
  }

  decision operator()(const start& a) const {
    if (s_.leaving)
      return refuse(s_, refusal::leaving);
    if (s_.now != phase::stopped)
      return refuse(s_, refusal::running);
    if (a.primary && !armed(s_, now_))
      return refuse(s_, refusal::no_lease);
    auto next = s_;
    next.now = a.primary ? phase::primary : phase::standby;
    next.writable = a.primary;
    return {next, a.primary ? effect::launch_primary : effect::launch_standby};
  }

  decision operator()(const promote&) const {
    if (s_.now != phase::standby)
      return refuse(s_, refusal::not_standby);
    if (!armed(s_, now_))
      return refuse(s_, refusal::no_lease);
    auto next = s_;
    next.now = phase::primary;
    next.writable = true;
    return {next, effect::tell_promote};
  }

  decision operator()(const stop&) const {
    if (s_.now != phase::standby && s_.now != phase::primary)
      return {s_}; // there is nothing to stop, or it is stopping
    auto next = s_;
    next.now = phase::stopping;
    next.ended = ending::stopped;
    return {next, effect::tell_stop};
  }

  decision operator()(const release&) const {
    if (s_.writable)
      return refuse(s_, refusal::writable);
    auto next = s_;
    next.deadline = {};
    return {next};
  }

  decision operator()(const status&) const { return {s_}; }

  decision operator()(const launch_failed&) const {
    if (s_.now != phase::standby && s_.now != phase::primary)
      return {s_};
    auto next = s_;
    next.now = phase::stopped;
    next.writable = false;
    return {next, s_.leaving ? effect::leave : effect::settle};
  }

  decision operator()(const promote_failed&) const {
    if (s_.now != phase::primary)
      return {s_};
    auto next = s_;
    next.now = phase::standby;
    next.writable = false;
    return {next};
  }

  decision operator()(const postmaster_ended&) const {
    switch (s_.now) {
    case phase::standby:
    case phase::primary: return kill(s_, ending::exited);
    case phase::stopping:
    case phase::killing: return kill(s_, ending::none);
    case phase::stopped: break;
    }
    return {s_};
  }

  decision operator()(const tree_emptied&) const {
    if (s_.now != phase::killing)
      return {s_};
    auto next = s_;
    next.now = phase::stopped;
    next.writable = false;
    return {next, s_.leaving ? effect::leave : effect::settle};
  }

  /// A standby that stops may get as far as writing before it does.
  decision operator()(const promotion_seen&) const {
    if (s_.writable || (s_.now != phase::standby && s_.now != phase::stopping))
      return {s_};
    auto next = s_;
    next.writable = true;
    if (!armed(s_, now_))
      return kill(next, ending::unlicensed);
    if (s_.now == phase::standby)
      next.now = phase::primary;
    return {next};
  }

  decision operator()(const terminated&) const {
    auto d = (*this)(stop{});
    d.next.leaving = true;
    if (s_.now == phase::stopped)
      d.act = effect::leave;
    return d;
  }

  decision operator()(const time_passed&) const { return {s_}; }

private:
  const state& s_;
  boot_time now_;
};

} // namespace

decision step(const state& s, const event& e, boot_time now) {
  const bool overdue = s.writable && s.now != phase::killing && !armed(s, now);
  if (!overdue)
    return std::visit(stepper{s, now}, e);
  const auto fenced = kill(s, ending::deadline);
  auto d = std::visit(stepper{fenced.next, now}, e);
  if (d.act == effect::none)
    d.act = effect::kill_tree;
  return d;
}

std::string_view word_of(phase p) noexcept {
  switch (p) {
  case phase::stopped: return "stopped";
  case phase::standby: return "standby";
  case phase::primary: return "primary";
  case phase::stopping: return "stopping";
  case phase::killing: break;
  }
  return "killing";
}

std::string_view word_of(ending e) noexcept {
  switch (e) {
  case ending::none: return "none";
  case ending::stopped: return "stopped";
  case ending::exited: return "exited";
  case ending::deadline: return "deadline";
  case ending::unlicensed: break;
  }
  return "unlicensed";
}

std::string_view word_of(refusal r) noexcept {
  switch (r) {
  case refusal::none: return "none";
  case refusal::stale_epoch: return "stale-epoch";
  case refusal::past: return "past";
  case refusal::not_later: return "not-later";
  case refusal::too_far: return "too-far";
  case refusal::no_lease: return "no-lease";
  case refusal::running: return "running";
  case refusal::not_standby: return "not-standby";
  case refusal::writable: return "writable";
  case refusal::leaving: return "leaving";
  case refusal::cannot_start: return "cannot-start";
  case refusal::busy: return "busy";
  case refusal::not_allowed: return "not-allowed";
  case refusal::unintelligible: break;
  }
  return "unintelligible";
}

std::string_view text_of(refusal r) noexcept {
  switch (r) {
  case refusal::none: return "";
  case refusal::stale_epoch: return "a higher epoch was seen: another lease is in force";
  case refusal::past: return "the deadline has passed already";
  case refusal::not_later: return "the deadline in force is later: stop PostgreSQL to end sooner";
  case refusal::too_far: return "the deadline is over 5 minutes away: is it of CLOCK_BOOTTIME?";
  case refusal::no_lease: return "there is no live deadline: arm the guard first";
  case refusal::running: return "PostgreSQL has not ended yet: stop it first";
  case refusal::not_standby: return "PostgreSQL does not run as a standby";
  case refusal::writable: return "PostgreSQL can write: stop it first";
  case refusal::leaving: return "the guard is ending";
  case refusal::cannot_start: return "PostgreSQL cannot be started";
  case refusal::busy: return "another agent commands this guard";
  case refusal::not_allowed: return "only root and the guard's own user may command it";
  case refusal::unintelligible: break;
  }
  return "no such request";
}

} // namespace harmony::guard
