#pragma once

#include <nats/nats.h>

#include "identity/login.hpp"

namespace harmony::nats {

/// Has connections that are made with `options` log in as `as`, which must outlive their making;
/// without JWT and key they do not. The agent signs the server's challenge itself: cnats 3.4.1
/// fails with some valid seeds.
natsStatus set_login(natsOptions* options, const login* as);

} // namespace harmony::nats
