#pragma once

// Fault points: named places before and after each effect on the world outside this process, at
// which a test can kill the agent, fail the call or hang it. Only in a build with the CMake option
// HARMONY_FAULTS; elsewhere the macros are nothing.
//
//   HARMONY_FAULT("files.publish.before");                      in a function that gives an outcome
//   HARMONY_FAULT_OR("status.keep.before", return);             in any other
//
// The names are those of fault/points.hpp; another one does not compile.

#ifdef HARMONY_FAULTS

#include <chrono>
#include <cstddef>
#include <optional>

#include "fault/points.hpp"
#include "model/outcome.hpp"

namespace harmony::fault {

/// Comes by the point of that index. Where the environment selects it, it
/// - kill: ends the process by SIGKILL;
/// - error: gives a failure. At a point "….after" what was asked for has happened, as when an
/// answer
///   is lost; at any other it has not;
/// - hang: does not return for the time in HARMONY_FAULT_HANG.
///
/// HARMONY_FAULT is "POINT HIT KIND": the hit counts from 1. HARMONY_FAULT_LOG names a file to
/// which each point is written as it is reached, and then its kind where it acts.
outcome<void> reach(std::size_t point);

/// HARMONY_FAULT_LIMIT: how long an operation may take in this run, in milliseconds.
std::optional<std::chrono::milliseconds> operation_limit();

} // namespace harmony::fault

#define HARMONY_FAULT_OR(name, ...)                                                                \
  do {                                                                                             \
    constexpr auto fault_point = ::harmony::fault::index_of(name);                                 \
    if (const auto fault_hit = ::harmony::fault::reach(fault_point); !fault_hit) {                 \
      __VA_ARGS__;                                                                                 \
    }                                                                                              \
  } while (false)

#define HARMONY_FAULT(name) HARMONY_FAULT_OR(name, return fault_hit.error())

#else

#define HARMONY_FAULT_OR(name, ...) static_cast<void>(0)
#define HARMONY_FAULT(name) static_cast<void>(0)

#endif
