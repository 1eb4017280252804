#pragma once

#include <string>
#include <string_view>

#include "core/failover/events.hpp"

namespace harmony::postgres {

/// synchronous_standby_names: `ANY 1 ("a", "b")`; empty: off. Of k without members: a name that
/// nobody can have, so that no commit passes.
std::string write_sync_names(const failover::sync_names& names);

/// What a server says it has. Something that `write_sync_names` does not write (FIRST, "*", a list
/// alone) is read as a set that no order asks for, so that it is set anew.
failover::sync_names read_sync_names(std::string_view text);

} // namespace harmony::postgres
