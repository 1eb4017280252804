#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>

/// The guard of a PostgreSQL instance: it owns the process tree and holds the fencing deadline.
namespace harmony::guard {

/// A point of CLOCK_BOOTTIME, which goes on while the host sleeps and which nobody can set.
using boot_time = std::chrono::nanoseconds;

/// What PostgreSQL is, as far as the guard is answerable for it.
///
///     stopped ──start standby──> standby ──promote──> primary
///        │ └──────────start primary──────────────────────^
///        │                          (both need a lease that has not ended)
///        │
///        ^            standby, primary ──stop──> stopping
///        │                   │                      │
///        └──tree is empty── killing <──postmaster ended, or deadline, or promoted without a lease
enum class phase : std::uint8_t {
  stopped,  ///< no process of it is left
  standby,  ///< it runs and cannot write
  primary,  ///< it may write, now or as soon as it has started
  stopping, ///< the postmaster was told to stop fast
  killing   ///< whatever is left of it is being killed
};

/// Why PostgreSQL ended last.
enum class ending : std::uint8_t {
  none,      ///< it has not ended since the guard started
  stopped,   ///< it was told to
  exited,    ///< by itself, or somebody else ended it
  deadline,  ///< the lease ended while it could write: fenced
  unlicensed ///< it was promoted while there was no lease: fenced
};

/// Why a request was refused.
enum class refusal : std::uint8_t {
  none,
  stale_epoch,   ///< arm: a lower epoch than one seen before
  past,          ///< arm: the deadline has passed
  not_later,     ///< arm: the deadline in force is later
  too_far,       ///< arm: no lease is that long, so it is no time of this clock
  no_lease,      ///< start primary, promote: no deadline, or it has passed
  running,       ///< start: PostgreSQL runs, or is not all gone
  not_standby,   ///< promote: it is no standby
  writable,      ///< release: it could write without a deadline
  leaving,       ///< start: the guard was told to end
  cannot_start,  ///< start, promote: the report's text says why
  busy,          ///< connect: another agent commands this guard
  not_allowed,   ///< connect: this user may not
  unintelligible ///< no such request
};

/// No lease is longer: a deadline beyond is a time of another clock, and would never come.
inline constexpr boot_time longest_lease = std::chrono::minutes{5};

/// Invariants: `writable` implies that a deadline is set or that the tree is being killed; the
/// deadline only moves later, until PostgreSQL cannot write; `epoch` never falls.
struct state {
  phase now = phase::stopped;
  bool writable = false; ///< it may be writing, so the deadline holds
  bool leaving = false;  ///< the guard ends as soon as PostgreSQL has
  ending ended = ending::none;
  std::uint64_t epoch = 0;
  boot_time deadline{0}; ///< 0: none

  friend bool operator==(const state&, const state&) = default;
};

/// What an agent asks for.
struct arm {
  std::uint64_t epoch = 0;
  boot_time deadline{0};
  friend bool operator==(const arm&, const arm&) = default;
};
struct start {
  bool primary = false;
  friend bool operator==(const start&, const start&) = default;
};
struct promote {
  friend bool operator==(const promote&, const promote&) = default;
};
struct stop {
  friend bool operator==(const stop&, const stop&) = default;
};
struct release {
  friend bool operator==(const release&, const release&) = default;
};
struct status {
  friend bool operator==(const status&, const status&) = default;
};
using request = std::variant<arm, start, promote, stop, release, status>;

// What happens.
struct launch_failed {};    ///< what `start` asked for did not come to be
struct promote_failed {};   ///< PostgreSQL could not be told
struct postmaster_ended {}; ///< its other processes may be left
struct tree_emptied {};     ///< no process of it is left
struct promotion_seen {};   ///< somebody told PostgreSQL to become a primary, or it began to
struct terminated {};       ///< the guard was told to end
struct time_passed {};
using event =
  std::variant<arm, start, promote, stop, release, status, launch_failed, promote_failed,
               postmaster_ended, tree_emptied, promotion_seen, terminated, time_passed>;

/// What the shell does next. `kill_tree` is done again and again until the tree is empty.
enum class effect : std::uint8_t {
  none,
  launch_standby,
  launch_primary,
  tell_promote, ///< to PostgreSQL
  tell_stop,    ///< the postmaster, fast
  kill_tree,
  settle, ///< the tree is gone: whoever starts PostgreSQL next starts a standby
  leave   ///< settle, and end the guard
};

struct decision {
  state next;
  effect act = effect::none;
  refusal refused = refusal::none;
};

/// Total. The deadline comes first: what arrives after it cannot undo it.
decision step(const state& s, const event& e, boot_time now);

/// Whether there is a lease at `now`.
constexpr bool armed(const state& s, boot_time now) noexcept {
  return s.deadline.count() > 0 && now < s.deadline;
}

/// The word that stands for it in a report: `killing`, `not-later`.
std::string_view word_of(phase p) noexcept;
std::string_view word_of(ending e) noexcept;
std::string_view word_of(refusal r) noexcept;

/// What a person should read about it.
std::string_view text_of(refusal r) noexcept;

} // namespace harmony::guard
