#pragma once

// The capability `has_clusters`: members of PostgreSQL failover clusters that run on this device.

#include <concepts>
#include <functional>
#include <optional>
#include <string>

#include "model/outcome.hpp"
#include "model/specs.hpp"
#include "topology/containers.hpp" // call_limits

namespace harmony {

/// What runs of a cluster on this device, and how it is.
struct cluster_look {
  /// With what it runs, the secret's value in it; nothing: it does not run.
  std::optional<postgres_cluster_spec> runs;
  bool well = false; ///< it is the primary, or a standby that streams from it
  std::string role;  ///< "primary", "standby", "stopped", "rejoining"; empty: it does not run
  /// For a person: phase, timeline, lag, why it does not take over. So coarse that it rests while
  /// nothing happens: each change is written to the store.
  std::string detail;

  friend bool operator==(const cluster_look&, const cluster_look&) = default;
};

class cluster_runtime {
public:
  virtual ~cluster_runtime() = default;

  virtual outcome<cluster_look> look(const std::string& cluster) = 0;

  /// Sets who is told, from a thread of the runtime's, that the look of a cluster changed; an empty
  /// sink: nobody. After this returned the former sink is not called any more. The sink must not
  /// block.
  virtual void on_change(std::function<void(const std::string& cluster)> sink) = 0;

  /// Makes what is needed before PostgreSQL runs: the data directory of the first member, or checks
  /// of one that is there; of a member that joins only its folder. Changes nothing of data that are
  /// there. Idempotent. Fails with a sentence for each thing that does not fit: other version,
  /// other owner, no space.
  virtual outcome<void> prepare(const postgres_cluster_spec& spec, const call_limits& limits) = 0;

  /// Runs it with `spec` from now on. What only concerns the member's own conduct changes while it
  /// runs; for the rest it begins anew, around a PostgreSQL that goes on.
  virtual outcome<void> run(const postgres_cluster_spec& spec, const call_limits& limits) = 0;

  /// Hands over if it is the primary, stops PostgreSQL in order, and runs it no more. The data
  /// stay.
  virtual outcome<void> end(const std::string& cluster, const call_limits& limits) = 0;
};

template <class T>
concept has_clusters = requires(T device) {
  { device.clusters() } -> std::convertible_to<cluster_runtime&>;
};

} // namespace harmony
