#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/root.hpp"
#include "apps/agent/options.hpp"
#include "apps/agent/store_connectivity.hpp"
#include "reconcilers/audit.hpp"
#include "reconcilers/registry.hpp"
#include "reconcilers/secrets.hpp"
#include "topology/accounts.hpp"
#include "topology/clusters.hpp"
#include "topology/containers.hpp"
#include "topology/content_cache.hpp"
#include "topology/device_secrets.hpp"
#include "topology/files_posix.hpp"
#include "topology/netlink_network.hpp"
#include "topology/packages.hpp"
#include "topology/podman_client.hpp"
#include "topology/systemd.hpp"
#include "topology/systemd_journal.hpp"
#include "topology/systemd_manager.hpp"

namespace harmony {

/// The topology of a Linux device: what it can do, as its configuration says. Reconcilers are
/// instantiated for this type; a capability that the configuration turns off has no driver, and its
/// resources get CapabilityMissing.
class linux_device {
public:
  /// `link` is the store that the agent is commanded by; it must outlive this.
  linux_device(const agent_options& options, store& link);

  [[nodiscard]] file_system& files() { return posix_.files(); }
  [[nodiscard]] content_cache& content() { return content_; }
  /// Precondition: systemd is not off.
  [[nodiscard]] systemd_port& systemd() { return *systemd_; }
  /// Precondition: systemd is not off.
  [[nodiscard]] transient_port& jobs() { return *systemd_; }
  [[nodiscard]] journal_port& journal() { return journal_; }
  /// Precondition: podman is not off.
  [[nodiscard]] container_runtime& containers() { return *podman_; }

  /// Precondition: the device has apt.
  [[nodiscard]] package_manager& packages() { return *packages_; }
  /// Precondition: the device has the programs of package `passwd`.
  [[nodiscard]] account_manager& accounts() { return *accounts_; }
  [[nodiscard]] network_port& network() { return network_; }
  /// Precondition: the device can run members of PostgreSQL clusters.
  [[nodiscard]] cluster_runtime& clusters() { return *clusters_; }
  [[nodiscard]] connectivity& commander() { return commander_; }

  /// The driver of each kind.
  std::shared_ptr<const driver_registry> drivers();

  [[nodiscard]] device_secrets& secrets() { return *secrets_; }

  /// Where what was done at somebody's word is kept on record.
  [[nodiscard]] const std::shared_ptr<audit_trail>& audit() const { return audit_; }

  /// How its probes are checked; lives no longer than this.
  std::shared_ptr<probe_port> probes();

  /// The lanes and observers of each runtime.
  std::map<runtime_kind, runtime_config> runtimes(const std::string& agent);

private:
  void add_jobs(driver_registry& to);
  void add_clusters(driver_registry& to);
  void give_secrets(driver_registry& to);

  systemd_mode systemd_mode_;
  std::string podman_socket_;
  std::shared_ptr<const device_guard> guard_;
  std::shared_ptr<audit_trail> audit_; ///< shared with the work that tells it of refusals
  posix_device posix_;
  content_cache content_;
  std::shared_ptr<device_secrets> secrets_;
  std::map<runtime_kind, std::shared_ptr<secret_uses>> secret_uses_; ///< of those that have any
  std::unique_ptr<systemd_manager> systemd_;
  systemd_journal journal_;
  std::unique_ptr<podman_client> podman_;
  // Shared with a relist that outlives its monitor.
  std::shared_ptr<package_manager> packages_;
  std::shared_ptr<account_manager> accounts_;
  std::shared_ptr<cluster_runtime> clusters_; ///< null: none
  std::string why_no_clusters_;
  netlink_network network_;
  store_connectivity commander_;
};

/// How the store of these options is connected to.
store_options store_options_of(const agent_options& options);

} // namespace harmony
