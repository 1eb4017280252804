#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace harmony::ctl {

/// Reads "30s", "2m", "500ms", "1h30m" or a bare number of seconds; at most 365 days. Nothing for
/// anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

} // namespace harmony::ctl
