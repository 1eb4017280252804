#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace harmony {

/// Whether the device still reaches whoever commands it. Asked after a change of the network.
class connectivity {
public:
  virtual ~connectivity() = default;

  /// Asks once; true as soon as the store answers, false at `deadline` at the latest (give or take
  /// a second). Thread-safe.
  virtual bool reachable(std::chrono::steady_clock::time_point deadline) = 0;
};

/// Time that a restart of the agent does not reset and that nobody sets: of CLOCK_BOOTTIME, which
/// counts while the device sleeps, and which boot it belongs to.
struct boot_clock {
  std::function<std::string()> boot;              ///< changes with each boot of the device
  std::function<std::chrono::milliseconds()> now; ///< since that boot
};

/// This device's.
boot_clock kernel_boot_clock();

} // namespace harmony
