#pragma once

#include <sys/types.h>

namespace harmony {

/// Kills the process group of `process`, which a container's runtime started in the container whose
/// first process is `first`. Kills nothing and answers false where `process` is not in that
/// container (its number came to mean another one), shares its group with the runtime's own
/// process, or is not this process' to look at.
bool kill_in_container(pid_t process, pid_t first);

} // namespace harmony
