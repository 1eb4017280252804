#pragma once

// What harmonyctl says of failover clusters: pure text and judgement from values.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/printer.hpp"
#include "apps/ctl/view.hpp"
#include "model/failover.hpp"
#include "transport/store.hpp"

namespace harmony::ctl {

struct seen_lease {
  failover::lease_record record;
  std::uint64_t sequence = 0;
  wall_time written; ///< by the store's clock
};

struct seen_member {
  std::string node;
  std::optional<failover::member_heartbeat> beat; ///< nothing: it cannot be read
  wall_time written;
};

struct cluster_view {
  std::string name;
  std::optional<seen_lease> lease;
  std::string fault; ///< why there is no `lease` although something is there
  std::vector<seen_member> members;
};

/// One row a cluster.
listing list_clusters(const std::vector<cluster_view>& clusters, wall_time now);

/// Lease and members, for a person and as a value.
std::string describe_cluster(const cluster_view& c, wall_time now, bool colour);
json cluster_value(const cluster_view& c, wall_time now);

/// The flight recorder, oldest epoch first.
listing list_epochs(const std::map<std::string, store_entry>& entries, wall_time now);

/// What has become of an order.
enum class order_state {
  waiting,   ///< nothing to be seen yet
  happened,  ///< as it was asked for
  otherwise, ///< the lease went to somebody else
};

/// From the lease before the order, and as it is now. Not of a reinit, which leaves the lease.
order_state judge(const failover::cluster_command& order,
                  const std::optional<failover::lease_record>& before,
                  const std::optional<failover::lease_record>& now);

} // namespace harmony::ctl
