#pragma once

#include "apps/agent/options.hpp"

namespace harmony {

/// Logs to standard error, through a bounded queue and a thread of its own: a reader that does not
/// read costs the oldest lines and never a heartbeat. Under journald lines carry a priority instead
/// of a time.
void start_logging(const agent_options& options);

/// Takes over a changed level.
void set_log_level(const agent_options& options);

/// Writes what is queued.
void end_logging();

} // namespace harmony
