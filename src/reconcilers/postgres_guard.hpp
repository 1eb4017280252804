#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/marked_file.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/systemd.hpp"

namespace harmony {

/// How the guard of a PostgreSQL instance is run on this device.
struct postgres_guard_config {
  /// Whether the agent runs it, as the unit harmony-pgguard@CLUSTER.service. If not, somebody else
  /// does, and neither unit nor conf is looked at.
  bool managed = true;
  /// Of the unit's EnvironmentFile=, CLUSTER.conf.
  std::filesystem::path folder = "/etc/harmony-agent/pgguard";
};

/// What is known of the guard of one instance.
struct postgres_guard_observed {
  bool managed = false;
  std::string path; ///< of the conf
  unit_file_owner conf = unit_file_owner::none;
  std::string content; ///< of our conf, below the marker
  unit_properties unit;

  friend bool operator==(const postgres_guard_observed&, const postgres_guard_observed&) = default;
};

/// The guard's unit and its conf, on any service manager.
///
/// The conf is this agent's when its first line says so. A guard reads it when it starts, and its
/// end is PostgreSQL's: so a conf is written beside a guard that goes on, unless it names another
/// data directory; then PostgreSQL and the guard have ended before it is written.
class postgres_guard {
public:
  /// `manager` may be null where the guard is not managed.
  postgres_guard(systemd_port* manager, postgres_guard_config config)
    : manager_(manager), config_(std::move(config)) {}

  static std::string unit_of(std::string_view cluster);
  /// The conf, below the marker.
  static std::string content_of(const postgres_cluster_spec& spec);
  /// The line of a conf that says where the data are; a guard with another one is another guard.
  static std::string_view data_line(std::string_view content);

  [[nodiscard]] bool managed() const { return config_.managed; }

  outcome<postgres_guard_observed> observe(const desired<postgres_cluster_spec>& want,
                                           const op_context& ctx) const;
  /// Writes the conf, enables the unit and starts it. One that cannot run yet, because the data are
  /// still to come, is left to its Restart=.
  outcome<void> bring_up(const desired<postgres_cluster_spec>& want,
                         const postgres_guard_observed& now, const op_context& ctx);
  outcome<void> stop(const std::string& cluster, const op_context& ctx);
  /// Stops and disables the unit and removes the conf, as far as it is this agent's.
  outcome<void> remove(const owned_target& owned, const op_context& ctx);
  /// Why it does not run; nothing: it does, or is about to.
  [[nodiscard]] std::optional<failure> why_ended(const std::string& cluster,
                                                 const op_context& ctx) const;
  /// The clusters whose confs bear this agent's marker.
  [[nodiscard]] std::vector<owned_target> marked(const op_context& ctx) const;

private:
  [[nodiscard]] std::filesystem::path conf_of(const std::string& cluster) const {
    return config_.folder / (cluster + ".conf");
  }
  outcome<void> start(const std::string& unit, const op_context& ctx);

  systemd_port* manager_;
  postgres_guard_config config_;
};

} // namespace harmony
