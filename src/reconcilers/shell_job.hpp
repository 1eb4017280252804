#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/audit.hpp"
#include "reconcilers/reconciler.hpp"
#include "reconcilers/shell_job_record.hpp"
#include "reconcilers/shell_job_unit.hpp"
#include "topology/systemd_journal.hpp"
#include "topology/systemd_transient.hpp"

namespace harmony {

/// Whose unit of the job's name the manager holds.
enum class job_unit_owner {
  none,    ///< no unit
  current, ///< a run of this desire
  former,  ///< a run of this resource for another desire
  foreign  ///< not of this agent and resource
};

/// What is known of a job: by the manager and in the inventory.
struct shell_job_observed {
  std::optional<job_record> record; ///< of the last run that the inventory knows
  job_unit_owner unit = job_unit_owner::none;
  bool over = false;   ///< nothing of that unit runs any more
  std::string started; ///< when its process began, RFC 3339; empty: not yet

  friend bool operator==(const shell_job_observed&, const shell_job_observed&) = default;
};

/// What has to be done for a job.
enum class job_step {
  none,      ///< it ran to its end with success, or a guard made that needless
  conflict,  ///< a unit of its name is somebody else's
  tidy,      ///< its run is recorded, its unit is still there
  follow,    ///< its run goes on, or ended and is not recorded
  interrupt, ///< its run is gone without a result
  replace,   ///< a run of another desire is in the way
  run        ///< it has to run: first, again after a failure, or for a new desire
};

/// How the jobs of a device are run and what is told of them.
struct shell_job_config {
  audit_trail* audit = nullptr;    ///< outlives the reconciler
  std::vector<std::string> hidden; ///< paths that no job sees: the agent's own state
};

/// The operations of shell_job_reconciler, on any service manager.
class shell_job_operations {
public:
  shell_job_operations(transient_port& manager, shell_job_config config)
    : manager_(manager), config_(std::move(config)) {}

  outcome<shell_job_observed> observe(const desired<shell_job_spec>& want, op_context& ctx);
  static outcome<std::vector<change>> plan(const desired<shell_job_spec>& want,
                                           const shell_job_observed& seen);
  outcome<void> apply(const desired<shell_job_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const shell_job_observed& seen);

  /// The decision behind `plan`.
  static job_step next_step(const desired<shell_job_spec>& want, const shell_job_observed& seen);

private:
  transient_port& manager_;
  shell_job_config config_;
};

/// Kind `ShellJob`. docs/reconcilers/shell-job.md is its specification.
///
/// The record's note in the inventory says which desire ran last and how that ended. It is written
/// - before the run: a kill in between is taken for an interrupted run, which is made again;
/// - after the run, before its unit is let go: a kill in between records the same end once more.
/// So a run that ended while its unit is there is never made twice.
template <has_jobs T>
class shell_job_reconciler {
public:
  using spec_type = shell_job_spec;
  using observed_type = shell_job_observed;
  static constexpr runtime_kind runtime = runtime_kind::systemd;

  /// `topology` must outlive this.
  shell_job_reconciler(T& topology, shell_job_config config)
    : topology_(&topology), work_(topology.jobs(), std::move(config)) {}

  static std::string target(const desired<shell_job_spec>& want) { return job_unit_name(want.id); }

  /// How long an apply may take: the guard's run, the job's, and what is around them.
  static std::chrono::seconds apply_limit(const desired<shell_job_spec>& want) {
    constexpr std::chrono::seconds around{60};
    return std::chrono::seconds{want.spec.timeout} * (want.spec.unless.empty() ? 1 : 2) + around;
  }

  outcome<shell_job_observed> observe(const desired<shell_job_spec>& want, op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<shell_job_spec>& want,
                                           const shell_job_observed& seen) {
    return shell_job_operations::plan(want, seen);
  }
  /// What is to be done is looked up anew: a run may have ended since the plan was made.
  outcome<void> apply(const desired<shell_job_spec>& want, const std::vector<change>& /*todo*/,
                      op_context& ctx) {
    return work_.apply(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const shell_job_observed& seen) {
    return shell_job_operations::report(seen);
  }
  outcome<logs_result> logs(const desired<shell_job_spec>& want, const log_query& query,
                            op_context& ctx) requires has_journal<T> {
    return topology_->journal().read(target(want), query, {ctx.cancel, ctx.deadline});
  }

private:
  T* topology_;
  shell_job_operations work_;
};

} // namespace harmony
