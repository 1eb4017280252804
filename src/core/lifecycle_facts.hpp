#pragma once

// What the lifecycle machine takes as given; for lifecycle.cpp alone.

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "core/lifecycle.hpp"

namespace harmony {

/// Looks in a row that may fail before a ready resource stops being called ready.
inline constexpr std::uint32_t max_blind_looks = 3;

/// Whether such a failure says nothing of the resource, only of the way to it.
inline bool is_transient(ec code) {
  return code == ec::runtime_unavailable || code == ec::timed_out || code == ec::canceled;
}

/// Failures in a row that are called a crash loop.
inline constexpr std::uint32_t crash_loop = 3;

/// Whether such a failure is the workload's own end.
inline bool is_crash(ec code) {
  return code == ec::unit_failed || code == ec::container_exited || code == ec::job_failed;
}

/// Whether the thing stopped by itself, as opposed to having been changed.
inline bool is_crash(const std::vector<change>& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const change& c) { return c.field == "state"; });
}

/// The part of a machine that a status shows.
inline auto shown(const lifecycle& s) {
  return std::tie(s.phase, s.desire, s.revision, s.applied_revision, s.reason, s.message,
                  s.next_retry, s.attempts, s.restarts);
}

} // namespace harmony
