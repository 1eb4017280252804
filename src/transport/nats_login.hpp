#pragma once

#include <nats/nats.h>

#include "identity/login.hpp"

namespace harmony::nats {

/// A log-in while a connection is being made by it.
struct login_attempt {
  const login* as = nullptr;
  /// The attempt came to nothing because of its challenge alone: another one has another.
  bool unsendable = false;
};

/// Has connections that are made with `options` log in as `attempt` says, which must outlive their
/// making; without JWT and key they do not. The agent signs the server's challenge itself: cnats
/// 3.4.1 fails with some valid seeds.
natsStatus set_login(natsOptions* options, login_attempt* attempt);

/// natsConnection_Connect, with another challenge where one was not to be answered.
natsStatus connect(natsConnection** made, natsOptions* options, login_attempt& attempt);

} // namespace harmony::nats
