#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <utility>

namespace harmony::soak {

/// How long the threads that a heartbeat passes through on its way out (the clock of the actors,
/// the actors with a thread of their own, the NATS client) have been ready to run while the kernel
/// let others run: by name and thread, in ns since they began.
using run_delays = std::map<std::pair<std::string, std::string>, std::uint64_t>;

/// Empty for a process that is not there.
run_delays run_delays_of(pid_t pid);

/// The sum over these names of the most that a thread of that name waited between the two, in ms.
double waited(const run_delays& before, const run_delays& after);

} // namespace harmony::soak
