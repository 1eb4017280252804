#pragma once

#include <sys/types.h>

#include "guard/page.hpp"

namespace harmony::guard {

/// The parent of the guard's process, which watches it to its end: where the guard dies or hangs,
/// this kills PostgreSQL, whose orphans come to it. Where this dies, the guard stops PostgreSQL.
/// It is what the service manager knows as the service.
///
/// `changed` is an eventfd that the guard writes to when the page has changed. Answers the guard's
/// exit code; 1 where it was killed or hung.
int watch_over(pid_t guard, const page& shown, int changed);

} // namespace harmony::guard
