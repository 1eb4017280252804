#pragma once

#include <chrono>

namespace harmony {

/// A point on a clock that never steps. The core gets it as an argument and never reads a clock.
using instant = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

} // namespace harmony
