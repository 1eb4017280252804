#pragma once

// The lifecycle of one managed resource, as a pure function over values. The supervisor actor is
// its shell.
//
//   pending ─> blocked (a dependency is not ready) ─> observing ─> applying ─> observing (verify)
//                                                        │                       │
//                                                        └──── equal ────────────┴─> probing ─>
//                                                        ready
//   ready ─(differs)─> drifted ─> applying               failed ─(backoff)─> observing
//   any ─> removing ─> removed                           any ─> rejected
//
// docs/lifecycle.md holds the table of every phase and event; a test holds it equal to this code.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/backoff.hpp"
#include "core/change.hpp"
#include "core/time.hpp"
#include "model/outcome.hpp"
#include "model/status.hpp"

namespace harmony {

/// Events: what happened. `operation` numbers tell a current answer from a late one.
namespace ev {

/// The dependencies of the current desire; `waiting_for` names those that are not ready.
struct dependencies {
  bool ready = true;
  std::string waiting_for;
  friend bool operator==(const dependencies&, const dependencies&) = default;
};
/// What the resource should be. `desire` is the revision together with the restart stamp: equal
/// ones mean that nothing new is wanted. `probes` identifies its probes; empty: none.
struct desired {
  std::string desire;
  std::string revision;
  std::string probes;
  dependencies needs;
  /// What is remembered of this desire from before the agent's start; taken by a new machine.
  std::uint32_t failures = 0;
  std::uint32_t restarts = 0;
};
/// The declaration cannot be accepted. What is on the device stays.
struct rejected {
  failure why;
};
/// It left the manifest. One-way: a resource that comes back gets a new machine.
struct remove {};
/// A look is over. `obstacle` is set when the difference cannot be closed by the agent
/// (NameConflict), `cause` when what was just started does not run, and the look could tell why.
struct observed {
  std::uint64_t operation = 0;
  std::vector<change> changes;
  std::optional<failure> obstacle;
  std::optional<failure> cause = {};
};
/// A look failed: nothing was learnt.
struct observe_failed {
  std::uint64_t operation = 0;
  failure why;
};
struct applied {
  std::uint64_t operation = 0;
};
struct apply_failed {
  std::uint64_t operation = 0;
  failure why;
};
struct removed {
  std::uint64_t operation = 0;
};
struct remove_failed {
  std::uint64_t operation = 0;
  failure why;
};
/// The runtime says that something happened to it.
struct hint {};
/// Somebody wants it run again although nothing differs. What failed before is forgiven.
struct restart {
  std::string message; ///< who and why, for a person
};
/// Until then nothing is changed on the device, whatever the looks find; nothing: no longer so.
struct held {
  std::optional<instant> until;
  std::string message; ///< why, for a person
};
/// A timer of `fx::arm` fired.
struct timer {
  std::uint64_t epoch = 0;
};
/// The probes' verdict changed.
enum class verdict { ready, not_ready, dead };
struct probed {
  verdict is = verdict::ready;
  std::string message;
};

} // namespace ev

using lifecycle_event =
  std::variant<ev::desired, ev::dependencies, ev::rejected, ev::remove, ev::observed,
               ev::observe_failed, ev::applied, ev::apply_failed, ev::removed, ev::remove_failed,
               ev::hint, ev::timer, ev::probed, ev::restart, ev::held>;

/// Effects: what the shell must do, in this order.
namespace fx {

struct observe {
  std::uint64_t operation = 0;
  friend bool operator==(const observe&, const observe&) = default;
};
struct apply {
  std::uint64_t operation = 0;
  std::vector<change> changes;
  friend bool operator==(const apply&, const apply&) = default;
};
struct remove {
  std::uint64_t operation = 0;
  friend bool operator==(const remove&, const remove&) = default;
};
/// Ask the operation to stop; its answer still comes.
struct cancel {
  std::uint64_t operation = 0;
  friend bool operator==(const cancel&, const cancel&) = default;
};
/// Send `ev::timer{epoch}` at `at`. Replaces the timer before; late ones are told by their epoch.
struct arm {
  std::uint64_t epoch = 0;
  instant at;
  friend bool operator==(const arm&, const arm&) = default;
};
struct start_probes {
  friend bool operator==(const start_probes&, const start_probes&) = default;
};
struct stop_probes {
  friend bool operator==(const stop_probes&, const stop_probes&) = default;
};
/// The status changed: tell whoever follows it.
struct publish {
  friend bool operator==(const publish&, const publish&) = default;
};

} // namespace fx

using lifecycle_effect = std::variant<fx::observe, fx::apply, fx::remove, fx::cancel, fx::arm,
                                      fx::start_probes, fx::stop_probes, fx::publish>;

/// Which kind of operation is in flight.
enum class operation_kind { none, observe, apply, remove };

/// Invariants:
/// - at most one operation is in flight, and every start of one has a number never used before;
/// - `removed` and, but for a new desire or a removal, `rejected` are final;
/// - phase is `ready` only if the last look found no change at `desire`;
/// - no apply starts while a dependency is not ready, unless the desire was once seen in place;
/// - no apply and no removal starts while it is held;
/// - with no operation in flight, a timer is armed in the phases failed, drifted and removing, and
///   in observing, where an apply waits for its backoff or the end of a hold.
struct lifecycle {
  resource_phase phase = resource_phase::pending;
  std::string desire;
  std::string revision;
  std::string applied_revision;
  std::string reason;
  std::string message;

  bool dependencies_ready = true;
  std::string waiting_for;

  operation_kind running = operation_kind::none;
  std::uint64_t operation = 0; ///< number of the newest operation, in flight or not
  bool superseded = false;     ///< its answer is only waited for: the desire changed under it
  bool look_again = false;     ///< a hint came while it ran

  std::uint64_t timer_epoch = 0;
  std::optional<instant> next_retry; ///< when the armed timer fires
  instant not_before{};              ///< no apply earlier: backoff
  std::uint32_t failures = 0;        ///< in a row, drifts included: the backoff's exponent
  std::uint32_t blind = 0;           ///< looks in a row that failed
  std::uint32_t attempts = 0;        ///< applies since the desire changed
  std::uint32_t restarts = 0;        ///< times that it was in place at this desire and lost it
  std::optional<instant> healthy_since;

  std::string probes; ///< identity of its probes; empty: none
  bool probes_running = false;
  bool probes_passed = false;
  bool settled = false;     ///< this desire was once seen in place
  bool restart_due = false; ///< dead by a probe, or asked for: restart even if nothing differs
  bool restarting = false;  ///< the apply in flight is to do that

  std::optional<instant> held_until; ///< nothing is changed before it
  std::string held_message;

  bool failing = false; ///< failed, and not seen in place since

  /// In trouble: failed, rejected, or on a retry of what failed.
  [[nodiscard]] bool troubled() const noexcept {
    return failing || phase == resource_phase::rejected;
  }

  friend bool operator==(const lifecycle&, const lifecycle&) = default;
};

struct lifecycle_context {
  instant now{};
  backoff_policy backoff;
  double jitter = 0.5; ///< [0, 1), drawn by the shell
};

struct lifecycle_step {
  lifecycle state;
  std::vector<lifecycle_effect> effects;
};

/// Total over phase × event. Never throws; unknown and late answers change nothing.
lifecycle_step step(const lifecycle& state, const lifecycle_event& event,
                    const lifecycle_context& context);

} // namespace harmony
