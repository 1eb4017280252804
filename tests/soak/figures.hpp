#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace harmony::soak {

/// What a process holds at one moment.
struct figures {
  double minutes = 0;       ///< since its start
  double pss_kib = 0;       ///< changes with who else has the same libraries in memory: not judged
  double anonymous_kib = 0; ///< its own pages: what a leak grows
  double rss_kib = 0;
  int descriptors = 0;
  int threads = 0;
};

/// Of a process that runs; throws std::runtime_error otherwise.
figures figures_of(pid_t pid, double minutes);

/// A line through points, by least squares.
struct line_fit {
  double slope = 0;
  double error = 0; ///< standard error of the slope
  std::size_t points = 0;
};
line_fit fit(const std::vector<figures>& samples, double figures::*value);

/// One run of the agent: what was measured of it at quiet moments.
struct life {
  std::vector<figures> samples;

  /// The samples after the first `minutes`.
  [[nodiscard]] std::vector<figures> after(double minutes) const;
};

/// By how much the least value of the last third exceeds that of the first third: what is
/// taken and given back again does not count.
int growth(const std::vector<figures>& samples, int figures::*value);

} // namespace harmony::soak
