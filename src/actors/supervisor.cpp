#include "actors/supervisor.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "actors/prober.hpp"
#include "actors/wake.hpp"

namespace harmony {

namespace {

using self_pointer = supervisor_actor::stateful_pointer<supervisor_state>;

// --- effects
// --------------------------------------------------------------------------------------

/// The runtime whose lane takes the resource's operations.
runtime_kind runtime_of(const supervisor_state& s) {
  const auto* d = s.config.services->drivers->find(s.config.id.kind);
  return d == nullptr ? runtime_kind::files : d->runtime();
}

desired<resource_spec> wanted(const supervisor_state& s) {
  return {s.what->id, s.what->spec, s.what->revision, s.restart_stamp, s.origin};
}

template <class Outcome>
operation_answer answer_of(Outcome result) {
  if (!result)
    return result.error();
  if constexpr (std::is_same_v<Outcome, outcome<void>>)
    return operation_done{};
  else
    return std::move(*result);
}

operation_work look(const supervisor_state& s) {
  const bool after_apply = s.machine.phase == resource_phase::applying;
  return [services = s.config.services, want = wanted(s), after_apply](std::stop_token stop,
                                                                       instant deadline) {
    const logged_operation entry{services->log, want.id, false};
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    auto* d = services->drivers->find(want.id.kind);
    auto seen = d->observe(want, context);
    if (seen && after_apply && !seen->changes.empty())
      seen->cause = d->why_ended(want, context);
    return answer_of(std::move(seen));
  };
}

operation_work put_in_place(const supervisor_state& s, std::vector<change> changes) {
  const auto& m = s.machine;
  return [services = s.config.services, want = wanted(s), todo = std::move(changes),
          counts = retry_counts{m.desire, m.failures, m.restarts}](
           std::stop_token stop, instant deadline) -> operation_answer {
    const logged_operation entry{services->log, want.id, true};
    // A first apply has nothing to remember, and so costs no write.
    if (counts.failures != 0 || counts.restarts != 0)
      if (const auto saved = services->retries->remember(want.id, counts); !saved)
        spdlog::warn("counters of '{}' could not be saved: {}", want.id.str(),
                     saved.error().message);
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    return answer_of(services->drivers->find(want.id.kind)->apply(want, todo, context));
  };
}

operation_work take_away(const supervisor_state& s) {
  return [services = s.config.services, id = s.config.id,
          retain = s.retain](std::stop_token stop, instant deadline) -> operation_answer {
    const logged_operation entry{services->log, id, true};
    if (auto forgotten = services->retries->forget(id); !forgotten)
      return forgotten.error();
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    auto* d = services->drivers->find(id.kind);
    for (const auto& target : services->owned->of(id)) {
      if (retain) {
        if (auto done = services->owned->release(id, target.target); !done)
          return done.error();
        continue;
      }
      if (d == nullptr)
        return services->drivers->why_missing(id.kind);
      if (auto done = d->remove(target, context); !done)
        return done.error();
    }
    return operation_done{};
  };
}

void submit(self_pointer self, std::uint64_t operation, operation_kind kind, duration limit,
            operation_work work) {
  auto& s = self->state;
  const auto& lanes = s.config.services->lanes;
  self->send(lanes.at(runtime_of(s)), run_operation{supervisor_actor{self}, operation, kind,
                                                    s.config.id.str(), limit, std::move(work)});
}

/// Tells of what the policy refuses, once for each thing that it says no to.
void tell_refusal(const supervisor_state& s, const resource_status& now) {
  const auto& before = s.reported.status;
  const auto& tell = s.config.services->drivers->refused;
  if (tell && s.what && now.reason == reason_of(ec::not_allowed)
      && (now.reason != before.reason || now.message != before.message))
    tell(*s.what, {ec::not_allowed, now.message});
}

/// Tells the dispatcher where the resource stands, if that is news.
void report(self_pointer self) {
  auto& s = self->state;
  const auto& m = s.machine;
  resource_reported now{s.config.id, m.desire, m.troubled(), {}};
  now.status = {m.revision,
                m.applied_revision,
                m.phase,
                m.reason,
                m.message,
                m.next_retry ? s.retry_at : std::nullopt,
                m.attempts,
                m.restarts,
                s.reported.status.last_transition,
                s.origin,
                s.hold,
                s.seen};
  if (now.status.phase != s.reported.status.phase || now.status.reason != s.reported.status.reason
      || !now.status.last_transition)
    now.status.last_transition = s.config.services->wall_clock();
  if (now.status == s.reported.status && now.desire == s.reported.desire
      && now.troubled == s.reported.troubled)
    return;
  tell_refusal(s, now.status);
  if (now.status.phase != s.reported.status.phase || now.status.reason != s.reported.status.reason)
    spdlog::info("resource '{}' is {}{}{}{}{}", s.config.id.str(), name_of(m.phase),
                 m.reason.empty() ? "" : ", ", m.reason, m.message.empty() ? "" : ": ", m.message);
  s.reported = now;
  self->send(s.config.dispatcher, std::move(now));
}

/// Performs one effect of the machine.
struct performer {
  self_pointer self;

  void operator()(const fx::observe& e) const {
    const auto& limits = self->state.config.services->limits;
    submit(self, e.operation, operation_kind::observe, limits.observe, look(self->state));
  }
  void operator()(const fx::apply& e) const {
    const auto& services = *self->state.config.services;
    const auto limit = std::max<duration>(
      services.limits.apply,
      services.drivers->find(self->state.config.id.kind)->apply_limit(*self->state.what));
    submit(self, e.operation, operation_kind::apply, limit, put_in_place(self->state, e.changes));
  }
  void operator()(const fx::remove& e) const {
    const auto& limits = self->state.config.services->limits;
    submit(self, e.operation, operation_kind::remove, limits.remove, take_away(self->state));
  }
  void operator()(const fx::cancel& e) const {
    const auto& s = self->state;
    self->send(s.config.services->lanes.at(runtime_of(s)),
               cancel_operation{s.config.id.str(), e.operation});
  }
  void operator()(const fx::arm& e) const {
    const auto ahead = e.at - self->clock().now();
    self->state.retry_at = self->state.config.services->wall_clock()
                           + std::chrono::duration_cast<std::chrono::milliseconds>(ahead);
    self->state.retry_epoch = e.epoch;
    wake_at(self, self->state.retry, e.at, timer_due{});
  }
  void operator()(const fx::start_probes&) const {
    auto& s = self->state;
    const auto& services = *s.config.services;
    const auto& id = s.config.id;
    s.prober =
      self->spawn(prober, prober_config{id.str(),
                                        s.what->probes,
                                        {id.kind, services.drivers->find(id.kind)->target(*s.what)},
                                        services.probes,
                                        services.probe_lane,
                                        supervisor_actor{self},
                                        ++s.probe_run});
  }
  void operator()(const fx::stop_probes&) const {
    auto& s = self->state;
    ++s.probe_run;
    self->send(std::exchange(s.prober, nullptr), stop_requested{});
  }
  void operator()(const fx::publish&) const { report(self); }
};

void handle(self_pointer self, const lifecycle_event& event) {
  auto& s = self->state;
  std::uniform_real_distribution<double> jitter{0.0, 1.0};
  lifecycle_context context{self->clock().now(), s.config.services->backoff, jitter(s.random)};
  auto next = step(s.machine, event, context);
  s.machine = std::move(next.state);
  for (const auto& effect : next.effects)
    std::visit(performer{self}, effect);
  if (s.machine.phase == resource_phase::removed)
    self->quit();
}

instant instant_of(self_pointer self, timestamp t) {
  return self->clock().now() + (t - self->state.config.services->wall_clock());
}

// --- what operators ask
// ------------------------------------------------------------------------------

/// Learns what holds the resource now, and asks again when that ends.
void follow_hold(self_pointer self) {
  auto& s = self->state;
  const auto& services = *s.config.services;
  auto hold = services.holds->held(s.config.id, services.wall_clock());
  // It ends after its time, also where somebody set the clock back meanwhile.
  if (s.hold && self->clock().now() >= s.hold_ends)
    s.ended_hold = s.hold;
  if (hold == s.ended_hold)
    hold.reset();
  if (hold == s.hold)
    return;
  s.hold = std::move(hold);
  ev::held event;
  if (s.hold) {
    s.hold_ends = instant_of(self, s.hold->until);
    event.until = s.hold_ends;
    event.message = "held until " + format_time(s.hold->until)
                    + (s.hold->reason.empty() ? "" : ": " + s.hold->reason);
    wake_at(self, s.hold_end, s.hold_ends, hold_changed{});
  }
  handle(self, event);
}

std::optional<failure> why_no_restart(const supervisor_state& s) {
  const auto id = s.config.id.str();
  const auto phase = s.machine.phase;
  if (!s.what || phase == resource_phase::removing || phase == resource_phase::rejected)
    return failure{ec::not_found,
                   id + " is " + std::string{name_of(phase)} + ": there is nothing to restart"};
  const auto* driver = s.config.services->drivers->find(s.config.id.kind);
  if (driver == nullptr || !driver->can_restart(*s.what))
    return failure{ec::invalid_spec, id + " is nothing that runs, so it cannot be restarted"};
  if (s.hold)
    return failure{ec::conflict, id + " is held until " + format_time(s.hold->until)
                                   + "; end that first (harmonyctl unhold)"};
  return std::nullopt;
}

restart_answered restart(self_pointer self) {
  restart_answered answer{why_no_restart(self->state), self->state.machine.attempts};
  if (!answer.refused)
    handle(self, ev::restart{"an operator asked for it"});
  return answer;
}

// --- events
// ---------------------------------------------------------------------------------------

/// Why this device can never make one of the checks; nothing: it can make all.
std::optional<failure> lack_of(const probe_port& device, const probe_set& probes) {
  for (const auto* each : {&probes.startup, &probes.readiness, &probes.liveness})
    if (*each)
      if (auto lack = device.lack(**each))
        return lack;
  return {};
}

void on_desired(self_pointer self, desired_changed& what) {
  auto& s = self->state;
  if (!s.what || s.what->probes != what.what->probes)
    ++s.probe_version;
  s.what = std::move(what.what);
  s.restart_stamp = std::move(what.restart_stamp);
  s.origin = s.what->origin;
  const auto& drivers = *s.config.services->drivers;
  if (auto no = drivers.why_not(*s.what)) {
    handle(self, ev::rejected{std::move(*no)});
    return;
  }
  if (auto lack = lack_of(*s.config.services->probes, s.what->probes)) {
    handle(self, ev::rejected{std::move(*lack)});
    return;
  }
  auto before = s.config.services->retries->recall(s.config.id);
  if (before.desire != what.desire)
    before = {};
  handle(self, ev::desired{std::move(what.desire), s.what->revision,
                           s.what->probes.empty() ? std::string{} : std::to_string(s.probe_version),
                           std::move(what.needs), before.failures, before.restarts});
}

struct answer_to_event {
  const operation_finished& what;

  lifecycle_event operator()(const failure& why) const {
    switch (what.kind) {
    case operation_kind::apply: return ev::apply_failed{what.operation, why};
    case operation_kind::remove: return ev::remove_failed{what.operation, why};
    default: return ev::observe_failed{what.operation, why};
    }
  }
  lifecycle_event operator()(const observation& seen) const {
    return ev::observed{what.operation, seen.changes, seen.obstacle, seen.cause};
  }
  lifecycle_event operator()(const operation_done&) const {
    if (what.kind == operation_kind::remove)
      return ev::removed{what.operation};
    return ev::applied{what.operation};
  }
  /// Answers of others' operations.
  template <class Other>
  lifecycle_event operator()(const Other&) const {
    return ev::hint{};
  }
};

void on_finished(self_pointer self, const operation_finished& what) {
  auto& s = self->state;
  const auto* seen = std::get_if<observation>(&what.answer);
  if (seen != nullptr && what.operation == s.machine.operation && !s.machine.superseded)
    s.seen = seen->state;
  handle(self, std::visit(answer_to_event{what}, what.answer));
  report(self); // what was seen may have changed although the machine did not
}

void on_stop(self_pointer self) {
  const auto& s = self->state;
  if (s.machine.running != operation_kind::none)
    performer{self}(fx::cancel{s.machine.operation});
  if (s.prober)
    self->send(s.prober, stop_requested{});
  self->quit();
}

} // namespace

supervisor_actor::behavior_type supervisor(self_pointer self, supervisor_config config) {
  auto& s = self->state;
  s.random.seed(static_cast<std::minstd_rand::result_type>(config.services->seed
                                                           ^ std::hash<resource_id>{}(config.id)));
  s.config = std::move(config);
  follow_hold(self);
  return {
    [self](desired_changed& what) { on_desired(self, what); },
    [self](desire_rejected& what) {
      self->state.origin = std::move(what.origin);
      handle(self, ev::rejected{std::move(what.why)});
    },
    [self](dependencies_changed& what) { handle(self, std::move(what.needs)); },
    [self](removal_requested what) {
      self->state.retain = what.retain;
      handle(self, ev::remove{});
    },
    [self](probes_judged& what) {
      if (what.run == self->state.probe_run)
        handle(self, std::move(what.what));
    },
    [self](runtime_observed) { handle(self, ev::hint{}); },
    [self](const operation_finished& what) { on_finished(self, what); },
    [self](hold_changed) {
      (void)rings(self, self->state.hold_end, hold_changed{}); // others say that it changed, too
      follow_hold(self);
      report(self);
    },
    [self](const restart_asked&) { return restart(self); },
    [self](timer_due) {
      if (rings(self, self->state.retry, timer_due{}))
        handle(self, ev::timer{self->state.retry_epoch});
    },
    [self](stop_requested) { on_stop(self); },
  };
}

} // namespace harmony
