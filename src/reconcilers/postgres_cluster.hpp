#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "reconcilers/postgres_guard.hpp"
#include "reconcilers/reconciler.hpp"
#include "reconcilers/turns.hpp"
#include "topology/clusters.hpp"
#include "topology/systemd_journal.hpp"

namespace harmony {

/// This device's member of a cluster, and its guard.
struct postgres_cluster_observed {
  cluster_look member;
  postgres_guard_observed guard;
  bool recorded = false; ///< the inventory has it

  friend bool operator==(const postgres_cluster_observed&,
                         const postgres_cluster_observed&) = default;
};

/// The work of `postgres_cluster_reconciler`, for any runtime. docs/reconcilers/postgres-cluster.md
/// is its specification.
///
///   claim ─> former cluster ended ─> (other data directory: member ended ─> guard stopped)
///         ─> prepare ─> conf ─> guard enabled, started ─> member runs
///
/// Invariants:
/// - no conf names another data directory while a guard runs with the former one: a kill at any
///   step is seen from the conf, the unit and the member, and taken up there;
/// - a guard is not restarted but for another data directory: its end is PostgreSQL's;
/// - nothing is done to the data but by `prepare`; they outlive the resource.
class postgres_cluster_operations {
public:
  postgres_cluster_operations(cluster_runtime& runtime, systemd_port* manager,
                              postgres_guard_config config)
    : runtime_(runtime), guard_(manager, std::move(config)) {}

  outcome<postgres_cluster_observed> observe(const desired<postgres_cluster_spec>& want,
                                             const op_context& ctx);
  /// Besides the differences it fails while the member is not well: with not_converged.
  static outcome<std::vector<change>> plan(const desired<postgres_cluster_spec>& want,
                                           const postgres_cluster_observed& seen);
  outcome<void> apply(const desired<postgres_cluster_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const postgres_cluster_observed& seen);

  [[nodiscard]] const postgres_guard& guard() const { return guard_; }

private:
  outcome<void> release_former(const desired<postgres_cluster_spec>& want, op_context& ctx);
  outcome<void> end(const owned_target& owned, op_context& ctx);

  cluster_runtime& runtime_;
  postgres_guard guard_;
  turns turns_;
};

/// The differences alone; empty: all is as wanted. Fails where the agent must not, or cannot, close
/// them.
outcome<std::vector<change>> member_differences(const desired<postgres_cluster_spec>& want,
                                                const postgres_cluster_observed& seen);

/// Whether `seen` has its data elsewhere.
bool is_relocated(const postgres_cluster_spec& spec, const postgres_cluster_observed& seen);

/// Kind `PostgresCluster`.
template <class T>
  requires has_clusters<T> && has_systemd<T>
class postgres_cluster_reconciler {
public:
  using spec_type = postgres_cluster_spec;
  using observed_type = postgres_cluster_observed;
  static constexpr runtime_kind runtime = runtime_kind::clusters;

  /// `topology` must outlive this; its systemd() is not called where the guard is not managed.
  explicit postgres_cluster_reconciler(T& topology, postgres_guard_config config = {})
    : topology_(&topology),
      work_(topology.clusters(), config.managed ? &topology.systemd() : nullptr, config) {}

  static std::string target(const desired<postgres_cluster_spec>& want) {
    return want.spec.cluster;
  }

  /// An initdb, or the end of a PostgreSQL with its checkpoint.
  static std::chrono::seconds apply_limit(const desired<postgres_cluster_spec>& /*want*/) {
    return std::chrono::minutes{5};
  }

  outcome<postgres_cluster_observed> observe(const desired<postgres_cluster_spec>& want,
                                             op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<postgres_cluster_spec>& want,
                                           const postgres_cluster_observed& seen) {
    return postgres_cluster_operations::plan(want, seen);
  }
  /// What is to be done is looked up anew.
  outcome<void> apply(const desired<postgres_cluster_spec>& want,
                      const std::vector<change>& /*todo*/, op_context& ctx) {
    return work_.apply(want, ctx);
  }
  std::optional<failure> why_ended(const desired<postgres_cluster_spec>& want,
                                   const op_context& ctx) {
    return work_.guard().why_ended(want.spec.cluster, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const postgres_cluster_observed& seen) {
    return postgres_cluster_operations::report(seen);
  }
  /// PostgreSQL's too, as far as it writes to its standard error.
  outcome<logs_result> logs(const desired<postgres_cluster_spec>& want, const log_query& query,
                            op_context& ctx) requires has_journal<T> {
    return topology_->journal().read(postgres_guard::unit_of(want.spec.cluster), query,
                                     {ctx.cancel, ctx.deadline});
  }
  outcome<std::vector<owned_target>> marked(op_context& ctx) { return work_.guard().marked(ctx); }

private:
  T* topology_;
  postgres_cluster_operations work_;
};

} // namespace harmony
