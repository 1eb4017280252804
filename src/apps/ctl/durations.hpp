#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace harmony::ctl {

/// Reads "30s", "2m", "500ms", "1h30m" or a bare number of seconds; at most 365 days. Nothing for
/// anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// An age for a person, in at most two units: "3s", "2m10s", "5h12m", "3d4h". Below a second and
/// negative (the clocks of two machines differ): "0s".
std::string format_age(std::chrono::milliseconds age);

} // namespace harmony::ctl
