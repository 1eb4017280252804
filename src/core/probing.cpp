#include "core/probing.hpp"

#include <algorithm>
#include <utility>

namespace harmony {

namespace {

constexpr std::array all_kinds{probe_kind::startup, probe_kind::readiness, probe_kind::liveness};

/// One step's working state: the machine's value and the effects so far.
class prober {
public:
  prober(probing& state, instant now) : s_(state), now_(now) {}

  std::vector<probing_effect> take_effects() { return std::move(effects_); }

  void operator()(const probe_ev::started& e) {
    rest();
    s_.probes = e.probes;
    s_.active = true;
    s_.started_at = now_;
    s_.told.reset();
    if (s_.probes.startup)
      schedule(probe_kind::startup);
    else
      start_up();
    run_what_is_due();
  }

  void operator()(const probe_ev::stopped&) { rest(); }

  void operator()(const probe_ev::result& e) {
    const auto found = std::find_if(all_kinds.begin(), all_kinds.end(), [&](probe_kind k) {
      return e.number != 0 && course(k).in_flight == e.number;
    });
    if (found == all_kinds.end())
      return;
    const auto kind = *found;
    auto& c = course(kind);
    c.in_flight = 0;
    c.due = std::max(now_, c.began + std::chrono::seconds{settings(kind)->period});
    if (e.is != probe_answer::error)
      count(kind, e.is == probe_answer::ok, e.message);
    else if (kind != probe_kind::liveness && !s_.told)
      tell(ev::verdict::not_ready,
           std::string{name_of(kind)} + " probe could not be made: " + e.message);
    run_what_is_due();
  }

  void operator()(const probe_ev::timer& e) {
    if (e.epoch != s_.timer_epoch || !s_.armed)
      return;
    s_.armed.reset();
    run_what_is_due();
  }

private:
  probe_course& course(probe_kind k) { return s_.courses.at(static_cast<std::size_t>(k)); }

  [[nodiscard]] const std::optional<probe>& settings(probe_kind k) const {
    switch (k) {
    case probe_kind::startup: return s_.probes.startup;
    case probe_kind::readiness: return s_.probes.readiness;
    case probe_kind::liveness: return s_.probes.liveness;
    }
    return s_.probes.startup;
  }

  /// Forgets all that runs and is due.
  void rest() {
    s_.active = false;
    s_.started_up = false;
    s_.courses = {};
    s_.armed.reset();
    ++s_.timer_epoch;
  }

  void schedule(probe_kind k) {
    if (const auto& p = settings(k))
      course(k).due = std::max(now_, s_.started_at + std::chrono::seconds{p->initial_delay});
  }

  void start_up() {
    s_.started_up = true;
    course(probe_kind::startup) = {};
    schedule(probe_kind::readiness);
    schedule(probe_kind::liveness);
    if (!s_.probes.readiness)
      tell(ev::verdict::ready, {});
  }

  void count(probe_kind kind, bool ok, const std::string& message) {
    auto& c = course(kind);
    c.row = c.row_ok == ok ? c.row + 1 : 1;
    c.row_ok = ok;
    const auto& p = *settings(kind);
    const bool decided = c.row >= (ok ? p.success_threshold : p.failure_threshold);
    if (ok && decided)
      pass(kind);
    else if (!ok)
      miss(kind, decided, message);
  }

  void pass(probe_kind kind) {
    if (kind == probe_kind::startup)
      start_up();
    else if (kind == probe_kind::readiness)
      tell(ev::verdict::ready, {});
  }

  void miss(probe_kind kind, bool decided, const std::string& message) {
    const auto text = describe(kind, course(kind).row, message);
    if (kind == probe_kind::readiness) {
      if (decided || !s_.told)
        tell(ev::verdict::not_ready, text);
      return;
    }
    if (decided) {
      tell(ev::verdict::dead, text);
      rest();
    } else if (kind == probe_kind::startup && !s_.told) {
      tell(ev::verdict::not_ready, text);
    }
  }

  static std::string describe(probe_kind kind, std::uint32_t times, const std::string& message) {
    auto text = std::string{name_of(kind)} + " probe failed";
    if (times > 1)
      text += " " + std::to_string(times) + " times in a row";
    return message.empty() ? text : text + ": " + message;
  }

  void tell(ev::verdict is, std::string message) {
    if (s_.told == is)
      return;
    s_.told = is;
    effects_.emplace_back(probe_fx::verdict{is, std::move(message)});
  }

  void run_what_is_due() {
    if (!s_.active)
      return;
    std::optional<instant> next;
    for (const auto kind : all_kinds) {
      auto& c = course(kind);
      if (!c.due)
        continue;
      if (*c.due <= now_)
        run(kind);
      else if (!next || *c.due < *next)
        next = c.due;
    }
    if (next == s_.armed)
      return;
    ++s_.timer_epoch;
    s_.armed = next;
    if (next)
      effects_.emplace_back(probe_fx::arm{s_.timer_epoch, *next});
  }

  void run(probe_kind kind) {
    auto& c = course(kind);
    c.due.reset();
    c.began = now_;
    c.in_flight = ++s_.checks;
    effects_.emplace_back(probe_fx::run{kind, c.in_flight});
  }

  probing& s_;
  instant now_;
  std::vector<probing_effect> effects_;
};

} // namespace

std::string_view name_of(probe_kind k) noexcept {
  switch (k) {
  case probe_kind::startup: return "startup";
  case probe_kind::readiness: return "readiness";
  case probe_kind::liveness: return "liveness";
  }
  return "startup";
}

probing_step step(probing state, const probing_event& event, instant now) {
  probing_step result{std::move(state), {}};
  prober machine{result.state, now};
  std::visit(machine, event);
  result.effects = machine.take_effects();
  return result;
}

} // namespace harmony
