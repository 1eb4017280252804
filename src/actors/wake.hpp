#pragma once

// An actor's alarms, by messages to itself.

#include "core/alarm.hpp"

namespace harmony {

/// `self` gets `what` at `at`, and not when `a` was set to before; it asks `rings` then. At once
/// still means after the messages that already wait.
template <class Self, class Message>
void wake_at(Self self, alarm& a, instant at, Message what) {
  const auto when = a.set(at);
  if (when && *when <= self->clock().now())
    self->send(self, what);
  else if (when)
    self->scheduled_send(self, *when, what);
}

/// `what` came: whether it is time.
template <class Self, class Message>
bool rings(Self self, alarm& a, Message what) {
  const auto came = a.rang(self->clock().now());
  if (came.send)
    self->scheduled_send(self, *came.send, what);
  return came.due;
}

} // namespace harmony
