#pragma once

#include <chrono>

#include "model/manifest.hpp"

namespace harmony {

/// The time by this device's clock, which somebody may set, as it stands in documents.
inline timestamp wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace harmony
