#pragma once

// What a PostgresCluster resource says, in the words of the failover machine and of its ports.

#include "core/failover/events.hpp"
#include "failover/member.hpp"
#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony::failover {

/// Fails with invalid_spec: timings that break an inequality, each named with its figures.
outcome<void> check_timings(const postgres_cluster_spec& spec);

/// Without an incarnation. Precondition: `check_timings(spec)`.
config config_of(const postgres_cluster_spec& spec);

/// `guard_dir`: a guard listens at CLUSTER/guard.sock of it. Precondition: `check_timings(spec)`,
/// and the secret's value is there.
member_settings settings_of(const postgres_cluster_spec& spec, const std::string& guard_dir);

/// Whether a member that runs by `a` can go on by `b`: only its conduct differs.
bool same_but_for_conduct(postgres_cluster_spec a, const postgres_cluster_spec& b);

} // namespace harmony::failover
