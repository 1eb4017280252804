#include "actors/prober.hpp"

namespace harmony {

namespace {

using self_pointer = prober_actor::stateful_pointer<prober_state>;

const probe& probe_of(const probe_set& all, probe_kind which) {
  switch (which) {
  case probe_kind::startup: return *all.startup;
  case probe_kind::readiness: return *all.readiness;
  case probe_kind::liveness: break;
  }
  return *all.liveness;
}

operation_work check(const prober_config& c, const probe& p) {
  return [checks = c.checks, of = c.subject, p](const std::stop_token& stop,
                                                instant deadline) -> operation_answer {
    auto result = checks->check(p, of, stop, deadline);
    if (!result)
      return result.error();
    return std::move(*result);
  };
}

/// Performs one effect of the machine.
struct performer {
  self_pointer self;

  void operator()(const probe_fx::run& e) const {
    const auto& c = self->state.config;
    const auto& p = probe_of(self->state.machine.probes, e.which);
    const auto key = c.resource + " " + std::string{name_of(e.which)};
    // Its own timeout ends the check; the lane's only bounds what hangs all the same.
    const auto limit = std::chrono::seconds{p.timeout} + std::chrono::seconds{5};
    self->send(c.lane, run_operation{operation_client{prober_actor{self}}, e.number,
                                     operation_kind::none, key, limit, check(c, p)});
  }
  void operator()(const probe_fx::arm& e) const {
    self->scheduled_send(self, e.at, timer_due{e.epoch});
  }
  void operator()(const probe_fx::verdict& e) const {
    const auto& c = self->state.config;
    self->send(c.supervisor, probes_judged{c.run, {e.is, e.message}});
  }
};

void handle(self_pointer self, const probing_event& event) {
  auto& s = self->state;
  auto next = step(std::move(s.machine), event, self->clock().now());
  s.machine = std::move(next.state);
  for (const auto& effect : next.effects)
    std::visit(performer{self}, effect);
}

probing_event result_of(const operation_finished& what) {
  if (const auto* said = std::get_if<probe_result>(&what.answer))
    return probe_ev::result{what.operation, said->ok ? probe_answer::ok : probe_answer::failed,
                            said->message};
  const auto* why = std::get_if<failure>(&what.answer);
  return probe_ev::result{what.operation, probe_answer::error,
                          why == nullptr ? std::string{} : why->message};
}

} // namespace

prober_actor::behavior_type prober(self_pointer self, prober_config config) {
  self->state.config = std::move(config);
  handle(self, probe_ev::started{self->state.config.probes});
  return {
    [self](const operation_finished& what) { handle(self, result_of(what)); },
    [self](timer_due t) { handle(self, probe_ev::timer{t.epoch}); },
    [self](stop_requested) {
      handle(self, probe_ev::stopped{});
      self->quit();
    },
  };
}

} // namespace harmony
