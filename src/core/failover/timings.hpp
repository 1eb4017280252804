#pragma once

// Time in a failover cluster: its clock, its periods, and the inequalities between them.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony::failover {

/// CLOCK_BOOTTIME, which goes on while the host sleeps; `steady_clock` (CLOCK_MONOTONIC) stops, and
/// a lease that slept would seem young. A type of its own, so that the two cannot be mixed. Points
/// in time are only compared with those of the same machine since the same boot.
struct boottime {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boottime>;
  static constexpr bool is_steady = true;
};

using instant = boottime::time_point;
using duration = boottime::duration;

/// The periods of one cluster. All its members must have the same.
struct timings {
  duration lease = std::chrono::milliseconds{3000};  ///< L: how long a renewal lasts
  duration kill = std::chrono::milliseconds{500};    ///< K: the slowest kill of PostgreSQL's tree
  duration stop = std::chrono::milliseconds{1000};   ///< S: given to an orderly stop before that
  duration window = std::chrono::milliseconds{3500}; ///< T: how long a silent record is watched
  duration renew = std::chrono::milliseconds{500};   ///< R: between renewals
  duration request = std::chrono::milliseconds{500}; ///< t: a request to the store is given up
  double clock_error = 0.01;                         ///< r: by which a clock's rate may be wrong

  /// The shortest window that is safe where a holder's lease is `length`.
  [[nodiscard]] duration least_window(duration length) const;
  /// The longest outage of the store without effect, whenever it begins.
  [[nodiscard]] duration ridden_out() const { return lease - kill - stop - renew; }

  friend bool operator==(const timings&, const timings&) = default;
};

/// One store server: recovery within 4 s.
timings fast_profile();

/// Three store servers, whose leader takes up to 7.5 s to be replaced.
timings normal_profile();

/// The profile of that name, "fast" or "normal".
outcome<timings> profile(std::string_view name);

/// Those of a declaration: its profile's, each that it gives in their place. Not validated.
timings timings_of(const postgres_cluster_spec& spec);

/// One sentence for each inequality that does not hold: which, the figures, what to change. None:
/// they are safe.
std::vector<failure> validate(const timings& t);

} // namespace harmony::failover
