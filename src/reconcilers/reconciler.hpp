#pragma once

// The contract of every resource kind. A reconciler turns a declaration (Score) into calls on what
// the device can do (Topology); it is Harmony's Interpret.

#include <chrono>
#include <concepts>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/change.hpp"
#include "model/ids.hpp"
#include "model/manifest.hpp"
#include "model/outcome.hpp"
#include "model/specs.hpp"
#include "model/status.hpp"
#include "reconcilers/inventory.hpp"
#include "topology/logs.hpp"

namespace harmony {

/// What a resource should be, with all that a plan may depend on.
template <class Spec>
struct desired {
  resource_id id;
  Spec spec;
  std::string revision;
  std::string restart_stamp; ///< changes when a resource of restartOn was changed; empty: none
  std::string origin = {};   ///< the class, rollout or person it came from; no plan depends on it
  std::string secret_stamp = {}; ///< changes when a value of secretEnv did; empty: there is none
};

/// Carried through every call of a reconciler. A call returns `ec::canceled` soon after `cancel` is
/// requested and `ec::timed_out` soon after `deadline`, where what it waits for lets it.
struct op_context {
  std::string_view agent; ///< this agent's id
  inventory& owned;
  std::stop_token cancel;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

/// Which runtime a kind's operations go to: each has lanes of its own, so that a stuck one holds up
/// nothing else.
enum class runtime_kind { files, systemd, containers, packages, accounts, network, clusters };

/// R is a reconciler:
///   target(spec)             the runtime's own name of the thing: path, unit, container
///   observe(want, ctx)       reads only
///   plan(want, observed)     pure; empty means converged; fails with name_conflict where something
///   foreign is in the way apply(want, todo, ctx)   idempotent; may be killed at any instruction;
///   claims in the inventory before it creates remove(owned, ctx)       idempotent; touches only
///   what this agent owns; a thing already gone is success report(observed)         what a status
///   shows
/// R may have `apply_limit(want)`: how long an apply may take, where that is longer than usual.
template <class R>
concept reconciler = requires(R r, const desired<typename R::spec_type>& want,
                              const typename R::observed_type& seen,
                              const std::vector<change>& todo, const owned_target& owned,
                              op_context& ctx) {
  { R::runtime } -> std::convertible_to<runtime_kind>;
  { R::target(want) } -> std::same_as<std::string>;
  { r.observe(want, ctx) } -> std::same_as<outcome<typename R::observed_type>>;
  { R::plan(want, seen) } -> std::same_as<outcome<std::vector<change>>>;
  { r.apply(want, todo, ctx) } -> std::same_as<outcome<void>>;
  { r.remove(owned, ctx) } -> std::same_as<outcome<void>>;
  { R::report(seen) } -> std::same_as<resource_state>;
};

/// R is a reconciler whose apply may need something from elsewhere:
///   fetches(spec)            whether it does
///   fetch(want, ctx)         brings it to the device and changes nothing else; idempotent
template <class R>
concept fetcher = reconciler<R> && requires(R r, const desired<typename R::spec_type>& want,
                                            const typename R::spec_type& spec, op_context& ctx) {
  { R::fetches(spec) } -> std::same_as<bool>;
  { r.fetch(want, ctx) } -> std::same_as<outcome<void>>;
};

/// R is a reconciler whose things may end as soon as an apply has started them:
///   why_ended(want, ctx)     what became of one that does not run; nothing: it does; only reads
template <class R>
concept starter = reconciler<R> && requires(R r, const desired<typename R::spec_type>& want,
                                            op_context& ctx) {
  { r.why_ended(want, ctx) } -> std::same_as<std::optional<failure>>;
};

/// R is a reconciler whose things write logs:
///   logs(want, query, ctx)   reads lines of one; only reads
template <class R>
concept logger = reconciler<R> && requires(R r, const desired<typename R::spec_type>& want,
                                           const log_query& query, op_context& ctx) {
  { r.logs(want, query, ctx) } -> std::same_as<outcome<logs_result>>;
};

/// R is a reconciler whose things run, and can be made to run again by a change of `restart_field`:
///   can_restart(spec)        whether this one does
template <class R>
concept restarter = reconciler<R> && requires(const typename R::spec_type& spec) {
  { R::can_restart(spec) } -> std::same_as<bool>;
};

} // namespace harmony
