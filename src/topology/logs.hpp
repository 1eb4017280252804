#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "model/commands.hpp"

namespace harmony {

/// Which lines of a log are asked for: those after `cursor`, or the newest `tail` without one.
struct log_query {
  std::string cursor;
  std::uint32_t tail = 100;
  std::chrono::seconds wait{0}; ///< for the first line, where there is none yet
};

/// What one answer may hold; who wants more asks again with its cursor.
inline constexpr std::size_t max_log_line = std::size_t{8} << 10;
inline constexpr std::size_t max_log_answer = std::size_t{256} << 10;

} // namespace harmony
