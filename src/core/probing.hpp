#pragma once

// The probes of one resource, as a pure function over values, with Kubernetes' meaning
// ("Configure Liveness, Readiness and Startup Probes"). The supervisor actor is its shell: it runs
// the checks, and hands the verdict to the lifecycle machine.
//
//   started ─> startup probe ──(passes)──> readiness and liveness probes, each at its own pace
//                   │                          │ readiness: ready <─> not ready
//                   └─(fails for good)─> dead <┘ liveness fails for good
//
// - The startup probe gates the others, and ends once it passed. Initial delays count from the
//   start.
// - Not ready from the start; a resource without a readiness probe is ready once it has started up.
// - successThreshold and failureThreshold count equal results in a row.
// - A check that could not be made (`error`) counts for nothing, and interrupts no row. What was
//   never ready says so once, that a person sees why.
// - A check is next due a period after it began, or when it ends if that is later.
// - Dead: all probing ends until the next start.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/lifecycle.hpp"
#include "core/time.hpp"
#include "model/specs.hpp"

namespace harmony {

enum class probe_kind { startup, readiness, liveness };

/// "startup", "readiness", "liveness".
std::string_view name_of(probe_kind k) noexcept;

/// What one check said. `error`: it could not be made at all, which says nothing of the resource.
enum class probe_answer { ok, failed, error };

/// What happened to the prober.
namespace probe_ev {

/// The resource is in place: probe it from now on, with these probes. Forgets what was before.
struct started {
  probe_set probes;
};
/// Do not probe any more.
struct stopped {};
/// The check with this number is over; late ones are told by their number.
struct result {
  std::uint64_t number = 0;
  probe_answer is = probe_answer::ok;
  std::string message; ///< why it failed
};
/// A timer of `probe_fx::arm` fired.
struct timer {
  std::uint64_t epoch = 0;
};

} // namespace probe_ev

using probing_event =
  std::variant<probe_ev::started, probe_ev::stopped, probe_ev::result, probe_ev::timer>;

/// What the shell must do, in this order.
namespace probe_fx {

/// Run the check of `probes.<which>` and send its result.
struct run {
  probe_kind which = probe_kind::startup;
  std::uint64_t number = 0;
  friend bool operator==(const run&, const run&) = default;
};
/// Send `probe_ev::timer{epoch}` at `at`. Replaces the timer before.
struct arm {
  std::uint64_t epoch = 0;
  instant at;
  friend bool operator==(const arm&, const arm&) = default;
};
/// Send this to the lifecycle machine. Not ready is also said, once, of what was never ready: so
/// that a person sees why.
struct verdict {
  ev::verdict is = ev::verdict::ready;
  std::string message;
  friend bool operator==(const verdict&, const verdict&) = default;
};

} // namespace probe_fx

using probing_effect = std::variant<probe_fx::run, probe_fx::arm, probe_fx::verdict>;

/// How far one probe is.
struct probe_course {
  std::optional<instant> due;  ///< when it runs next; none: it waits for something else
  instant began{};             ///< its newest check
  std::uint64_t in_flight = 0; ///< number of the check that runs; 0: none
  std::uint32_t row = 0;       ///< equal results in a row
  bool row_ok = false;         ///< of which kind

  friend bool operator==(const probe_course&, const probe_course&) = default;
};

/// Invariants:
/// - at most one check a probe is in flight, and every check has a number never used before;
/// - no readiness or liveness check starts before the startup probe passed;
/// - a timer is armed for the earliest check that is due later; nothing runs and no timer counts
///   once it is stopped or dead;
/// - equal verdicts never follow each other.
struct probing {
  probe_set probes;
  bool active = false;
  bool started_up = false;
  instant started_at{};
  std::array<probe_course, 3> courses; ///< by probe_kind
  std::uint64_t checks = 0;            ///< number of the newest check
  std::uint64_t timer_epoch = 0;
  std::optional<instant> armed;
  std::optional<ev::verdict> told; ///< since the start

  friend bool operator==(const probing&, const probing&) = default;
};

struct probing_step {
  probing state;
  std::vector<probing_effect> effects;
};

/// Total over state × event. Never throws; late results and timers change nothing.
probing_step step(probing state, const probing_event& event, instant now);

} // namespace harmony
