#include "apps/agent/clusters.hpp"

#include <spdlog/spdlog.h>

#include "apps/agent/control_group.hpp"
#include "apps/agent/device.hpp"
#include "postgres/member.hpp"
#include "postgres/prepare.hpp"
#include "transport/nats_lease_store.hpp"

namespace harmony {

namespace {

/// Each of its members connects for itself: nothing that the agent does otherwise holds up a
/// renewal.
outcome<std::shared_ptr<failover::lease_store>> connect(store_options how,
                                                        const failover::member_settings& m) {
  how.name += " failover " + m.cluster;
  lease_store_options to;
  to.how = std::move(how);
  to.cluster = m.cluster;
  to.node = m.node;
  to.periods = m.periods;
  to.log = [cluster = m.cluster](const std::string& text) {
    spdlog::warn("failover of '{}': {}", cluster, text);
  };
  auto made = nats_lease_store::make(std::move(to));
  if (!made)
    return made.error();
  return std::shared_ptr<failover::lease_store>{std::move(*made)};
}

outcome<void> prepare(const postgres_cluster_spec& spec, const failover::member_settings& m,
                      const call_limits& limits) {
  const auto left = limits.deadline - std::chrono::steady_clock::now();
  return postgres::prepare(
    m, {spec.bootstrap, spec.owner, spec.version}, limits.cancel,
    std::chrono::duration_cast<std::chrono::milliseconds>(
      std::min<std::chrono::steady_clock::duration>(left, std::chrono::minutes{10})));
}

} // namespace

outcome<std::unique_ptr<failover::host>> make_clusters(const agent_options& options,
                                                       std::shared_ptr<audit_trail> audit) {
  if (options.store.rfind("dir:", 0) == 0)
    return failure{ec::capability_missing,
                   "its store is a folder, and the members of a cluster meet in NATS"};
  failover::host_parts p;
  p.state_dir = options.state_dir;
  p.guard_dir = options.guard_dir;
  p.store = [how = store_options_of(options)](const failover::member_settings& m) {
    return connect(how, m);
  };
  p.launcher = own_control_group(options.systemd);
  p.postgres = [](const failover::member_settings& m) {
    return std::make_shared<postgres::member>(m);
  };
  p.prepare = prepare;
  p.audit = [audit = std::move(audit)](const std::string& cluster,
                                       const failover::fx::audit& what) {
    audit_event e;
    e.event = "failover-" + what.what;
    e.subject = "PostgresCluster/" + cluster;
    e.via = "agent";
    e.result = what.result;
    audit->note(std::move(e));
  };
  p.alarm = [](const std::string& cluster, const std::string& message) {
    spdlog::warn("failover of '{}': {}", cluster, message);
  };
  return std::make_unique<failover::host>(std::move(p));
}

} // namespace harmony
