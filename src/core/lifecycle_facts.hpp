#pragma once

// What the lifecycle machine takes as given; for lifecycle.cpp alone.

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

/// The part of a machine that a status shows.
inline auto shown(const lifecycle& s) {
  return std::tie(s.phase, s.desire, s.revision, s.applied_revision, s.reason, s.message,
                  s.next_retry, s.attempts);
}

} // namespace harmony
