#include "actors/heartbeat.hpp"

#include "fault/fault.hpp"

namespace harmony {

namespace {

using self_pointer = heartbeat_actor::stateful_pointer<heartbeat_state>;

void arm(self_pointer self, instant at) {
  auto& s = self->state;
  s.due = at;
  self->scheduled_send(self, at, timer_due{++s.timer_epoch});
}

outcome<void> send(const heartbeat_config& c, const heartbeat& what) {
  HARMONY_FAULT("store.beat");
  return c.link->beat(c.agent, write_heartbeat(what));
}

void beat(self_pointer self) {
  auto& s = self->state;
  ++s.config.counters->ticks;
  ++s.next.sequence;
  if (send(s.config, s.next))
    ++s.config.counters->sent;
  else
    ++s.config.counters->failed;
}

/// Beats at the due time and plans the next one a whole interval later, so that the rate does not
/// drift. Beats that were missed (a suspended device) are not made up for.
void on_timer(self_pointer self) {
  auto& s = self->state;
  beat(self);
  const auto now = self->clock().now();
  const auto next = s.due + s.config.interval;
  arm(self, next > now ? next : now + s.config.interval);
}

} // namespace

heartbeat_actor::behavior_type heartbeat_sender(self_pointer self, heartbeat_config config) {
  self->state.next.boot_id = config.boot_id;
  self->state.config = std::move(config);
  arm(self, self->clock().now());
  return {
    [](const roll_call& call) { ++*call.present; },
    [self](const standing_changed& what) {
      self->state.next.observed_generation = what.observed_generation;
      self->state.next.phase = what.phase;
    },
    [self](const connection_changed& what) {
      // The first beat, or the first after an outage: say it now.
      if (what.connected)
        arm(self, self->clock().now());
    },
    [self](const interval_changed& what) {
      self->state.config.interval = what.interval;
      arm(self, self->clock().now() + what.interval);
    },
    [self](timer_due t) {
      if (t.epoch == self->state.timer_epoch)
        on_timer(self);
    },
    [self](stop_requested) { self->quit(); },
  };
}

} // namespace harmony
