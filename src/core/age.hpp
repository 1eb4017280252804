#pragma once

#include <chrono>
#include <string>

namespace harmony {

/// An age for a person, in at most two units: "3s", "2m10s", "5h12m", "3d4h". Below a second and
/// negative (the clocks of two machines differ): "0s".
std::string format_age(std::chrono::milliseconds age);

} // namespace harmony
