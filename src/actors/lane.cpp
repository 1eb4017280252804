#include "actors/lane.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/wake.hpp"

namespace harmony {

namespace {

using self_pointer = lane_actor::stateful_pointer<lane_state>;

void answer(self_pointer self, lane_state::entry& e, operation_answer what) {
  if (e.answered)
    return;
  e.answered = true;
  auto& count = self->state.config.counters->of(e.what.kind);
  ++(std::holds_alternative<failure>(what) ? count.failed : count.done);
  self->send(e.what.client, operation_finished{e.what.operation, e.what.kind, std::move(what)});
}

void launch(self_pointer self, lane_schedule::ticket t, instant now) {
  const auto& e = self->state.entries.at(t);
  lane_actor me{self};
  self->state.config.workers->post(
    [me, t, work = e.what.work, token = e.stop.get_token(), deadline = now + e.what.limit] {
      caf::anon_send(me, operation_returned{t, work(token, deadline)});
    });
}

/// Gives up on an operation whose thread does not come back.
void expire(self_pointer self, lane_schedule::ticket t) {
  auto& e = self->state.entries.at(t);
  spdlog::warn("lane '{}' gives up on operation of '{}': no answer within its time",
               self->state.config.name, e.what.key);
  ++self->state.config.counters->expired;
  const auto was_canceled = e.stop.stop_requested();
  e.stop.request_stop();
  answer(self, e,
         was_canceled ? failure{ec::canceled, "interrupted"}
                      : failure{ec::timed_out, "no answer within the time allowed; the "
                                               "attempt is given up and made again"});
}

void count(lane_state& s) {
  auto& c = *s.config.counters;
  c.running = static_cast<std::uint32_t>(s.schedule.running());
  c.waiting = static_cast<std::uint32_t>(s.schedule.waiting());
  c.stuck = static_cast<std::uint32_t>(s.schedule.stuck());
}

void carry_on(self_pointer self) {
  auto& s = self->state;
  const auto now = self->clock().now();
  const auto orders = s.schedule.tick(now);
  for (const auto t : orders.expired)
    expire(self, t);
  for (const auto t : orders.start)
    launch(self, t, now);
  count(s);
  if (!orders.wake)
    s.wake.cancel();
  else
    wake_at(self, s.wake, *orders.wake, timer_due{});
}

void submit(self_pointer self, run_operation op) {
  auto& s = self->state;
  const auto t = ++s.newest;
  const auto key = op.key;
  const auto limit = op.limit;
  auto& e = s.entries[t];
  e.what = std::move(op);
  if (s.stopping || !s.schedule.submit(t, key, limit)) {
    answer(self, e,
           s.stopping ? failure{ec::canceled, "the agent is stopping"}
                      : failure{ec::timed_out, "the attempt before this one still hangs in "
                                               "a system call"});
    s.entries.erase(t);
    return;
  }
  carry_on(self);
}

void cancel(self_pointer self, const cancel_operation& what) {
  auto& s = self->state;
  for (auto& [t, e] : s.entries) {
    if (e.what.key != what.key || e.what.operation != what.operation || e.answered)
      continue;
    e.stop.request_stop();
    if (s.schedule.withdraw(t)) {
      answer(self, e, failure{ec::canceled, "interrupted before it began"});
      s.entries.erase(t);
    } else {
      s.schedule.hurry(t, self->clock().now() + s.config.cancel_grace);
    }
    carry_on(self);
    return;
  }
}

void returned(self_pointer self, operation_returned what) {
  auto& s = self->state;
  const auto it = s.entries.find(what.ticket);
  if (it == s.entries.end())
    return;
  answer(self, it->second, std::move(what.answer));
  s.entries.erase(it);
  s.schedule.finished(what.ticket);
  if (s.stopping && s.entries.empty())
    self->quit();
  else
    carry_on(self);
}

/// First time: asks all to stop and waits. Second time: leaves.
void stop(self_pointer self) {
  auto& s = self->state;
  if (s.stopping || s.entries.empty()) {
    self->quit();
    return;
  }
  s.stopping = true;
  for (auto it = s.entries.begin(); it != s.entries.end();) {
    it->second.stop.request_stop();
    if (s.schedule.withdraw(it->first)) {
      answer(self, it->second, failure{ec::canceled, "the agent is stopping"});
      it = s.entries.erase(it);
    } else {
      ++it;
    }
  }
  if (s.entries.empty())
    self->quit();
}

} // namespace

lane_actor::behavior_type lane(self_pointer self, lane_config config) {
  self->state.schedule = lane_schedule{config.limits};
  self->state.config = std::move(config);
  return {
    [self](run_operation& op) { submit(self, std::move(op)); },
    [self](const cancel_operation& what) { cancel(self, what); },
    [self](operation_returned& what) { returned(self, std::move(what)); },
    [self](timer_due) {
      if (rings(self, self->state.wake, timer_due{}))
        carry_on(self);
    },
    [self](stop_requested) { stop(self); },
  };
}

} // namespace harmony
