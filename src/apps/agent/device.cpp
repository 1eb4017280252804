#include "apps/agent/device.hpp"

#include <cstdlib>

#include <unistd.h>

#include <spdlog/spdlog.h>

#include "apps/agent/clusters.hpp"
#include "apps/agent/control_group.hpp"
#include "apps/agent/own_paths.hpp"
#include "reconcilers/container.hpp"
#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "reconcilers/network.hpp"
#include "reconcilers/package.hpp"
#include "reconcilers/postgres_cluster.hpp"
#include "reconcilers/shell_job.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "reconcilers/user.hpp"
#include "state/audit_log.hpp"
#include "topology/apt_packages.hpp"
#include "topology/cluster_monitor.hpp"
#include "topology/database_monitor.hpp"
#include "topology/files_monitor.hpp"
#include "topology/network_monitor.hpp"
#include "topology/podman_monitor.hpp"
#include "topology/probe_runner.hpp"
#include "topology/shadow_accounts.hpp"
#include "topology/systemd_monitor.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

static_assert(has_files<linux_device>);
static_assert(has_systemd<linux_device>);
static_assert(has_jobs<linux_device>);
static_assert(has_journal<linux_device>);
static_assert(has_containers<linux_device>);
static_assert(has_packages<linux_device>);
static_assert(has_accounts<linux_device>);
static_assert(has_network<linux_device>);
static_assert(has_clusters<linux_device>);

namespace {

/// Operations of one runtime that make progress at once. Files contend for one disk; podman works
/// on a few things at a time. A unit's operation is mostly waiting, and those that wait together
/// share one reload.
constexpr lane_limits file_lane{4};
constexpr lane_limits systemd_lane{128, 256};
constexpr lane_limits container_lane{8};
/// Transactions take turns. One that takes longer than this lets the others' looks go on.
constexpr lane_limits package_lane{1, 128, std::chrono::seconds{20}};
constexpr lane_limits account_lane{1};

/// One change of the network at a time, so that it is known which one cut the device off.
constexpr lane_limits network_lane{1};

/// A cluster's operations take turns; that many clusters have one under way.
constexpr lane_limits cluster_lane{4};

constexpr auto apt_get = "/usr/bin/apt-get";
constexpr auto useradd = "/usr/sbin/useradd";

bool is_program(const char* path) {
  return ::access(path, X_OK) == 0;
}

device_secrets_config secrets_of(const agent_options& options) {
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY"); // systemd.exec(5)
  return {options.secrets_dir, credentials == nullptr ? "" : credentials,
          options.state_dir + "/" + sealing_key_file};
}

} // namespace

linux_device::linux_device(const agent_options& options, store& link)
  : systemd_mode_(options.systemd),
    podman_socket_(options.podman),
    guard_(guard_of(options)),
    audit_(std::make_shared<audit_log>(
      options.state_dir + "/audit.log",
      audit_surroundings{wall_now, uptime_now,
                         [](const std::string& line) { spdlog::info("audit {}", line); }})),
    content_(options.state_dir + "/cache"),
    secrets_(std::make_shared<device_secrets>(secrets_of(options))),
    journal_(options.systemd == systemd_mode::user ? systemd_config::scope::user
                                                   : systemd_config::scope::system),
    commander_(link, options.agent_id, store_options_of(options)) {
  for (const auto runtime : {runtime_kind::files, runtime_kind::containers, runtime_kind::clusters})
    secret_uses_[runtime] = std::make_shared<secret_uses>(secrets_);
  if (options.systemd != systemd_mode::off) {
    systemd_config config;
    config.manager = options.systemd == systemd_mode::user ? systemd_config::scope::user
                                                           : systemd_config::scope::system;
    systemd_ = std::make_unique<systemd_manager>(config);
  }
  if (options.podman != "off")
    podman_ = std::make_unique<podman_client>(options.podman);
  if (is_program(apt_get)) {
    apt_config config;
    config.launcher = own_control_group(options.systemd);
    packages_ = std::make_shared<apt_packages>(std::move(config));
  }
  if (auto made = make_clusters(options, audit_); made)
    clusters_ = std::move(*made);
  else
    why_no_clusters_ = made.error().message;
  if (is_program(useradd))
    accounts_ = std::make_shared<shadow_accounts>();
}

std::shared_ptr<const driver_registry> linux_device::drivers() {
  auto result = std::make_shared<driver_registry>();
  auto& all = result->drivers;
  all["File"] = std::make_shared<driver_of<file_reconciler<linux_device>>>(*this);
  all["Directory"] = std::make_shared<driver_of<directory_reconciler<linux_device>>>(*this);
  if (systemd_)
    all["SystemdUnit"] = std::make_shared<driver_of<systemd_unit_reconciler<linux_device>>>(*this);
  else
    result->missing["SystemdUnit"] = "systemd is off in its configuration";
  if (podman_)
    all["Container"] = std::make_shared<driver_of<container_reconciler<linux_device>>>(*this);
  else
    result->missing["Container"] = "podman is off in its configuration";
  if (packages_)
    all["Package"] = std::make_shared<driver_of<package_reconciler<linux_device>>>(*this);
  else
    result->missing["Package"] = "it has no '" + std::string{apt_get} + "'";
  if (accounts_)
    all["User"] = std::make_shared<driver_of<user_reconciler<linux_device>>>(*this);
  else
    result->missing["User"] = "it has no '" + std::string{useradd} + "'";
  add_jobs(*result);
  add_clusters(*result);
  if (may_change_network())
    all["Network"] = std::make_shared<driver_of<network_reconciler<linux_device>>>(*this);
  else
    result->missing["Network"] = "the agent lacks CAP_NET_ADMIN";
  give_secrets(*result);
  for (auto& [kind, each] : all)
    each = std::make_shared<guarded_driver>(std::move(each), guard_);
  result->guard = guard_;
  result->refused = [audit = audit_](const resource& r, const failure& why) {
    audit->note({"policy-refused", r.id.str(), r.revision, r.origin, "store", {}, why.message});
  };
  return result;
}

void linux_device::give_secrets(driver_registry& to) {
  for (const auto* kind : {"File", "Container", "PostgresCluster"})
    if (const auto found = to.drivers.find(kind); found != to.drivers.end())
      found->second = std::make_shared<secret_driver>(found->second, secrets_,
                                                      secret_uses_.at(found->second->runtime()));
}

std::shared_ptr<probe_port> linux_device::probes() {
  return std::make_shared<probe_runner>(systemd_.get(), podman_.get());
}

void linux_device::add_jobs(driver_registry& to) {
  if (systemd_mode_ == systemd_mode::system)
    to.drivers["ShellJob"] = std::make_shared<driver_of<shell_job_reconciler<linux_device>>>(
      *this, shell_job_config{audit_.get(), guard_->own.hidden});
  else if (systemd_mode_ == systemd_mode::user)
    to.missing["ShellJob"] = "its sandbox needs the system's service manager, not a user's";
  else
    to.missing["ShellJob"] = "systemd is off in its configuration";
}

void linux_device::add_clusters(driver_registry& to) {
  if (!clusters_) {
    to.missing["PostgresCluster"] = why_no_clusters_;
    return;
  }
  postgres_guard_config guard;
  guard.managed = systemd_mode_ == systemd_mode::system;
  to.drivers["PostgresCluster"] =
    std::make_shared<driver_of<postgres_cluster_reconciler<linux_device>>>(*this, guard);
}

std::map<runtime_kind, runtime_config> linux_device::runtimes(const std::string& agent) {
  std::map<runtime_kind, runtime_config> result;
  result[runtime_kind::files] = {"files", std::make_shared<thread_executor>(),
                                 std::make_shared<inotify_files_monitor>(), file_lane};
  if (systemd_)
    result[runtime_kind::systemd] = {"systemd", std::make_shared<thread_executor>(),
                                     std::make_shared<systemd_monitor>(*systemd_, *systemd_),
                                     systemd_lane};
  if (podman_) {
    podman_monitor::options settings;
    settings.exits = exit_folder_of(podman_socket_);
    result[runtime_kind::containers] = {
      "containers", std::make_shared<thread_executor>(),
      std::make_shared<podman_monitor>(*podman_, agent, std::move(settings)), container_lane};
  }
  if (packages_)
    result[runtime_kind::packages] = {"packages", std::make_shared<thread_executor>(),
                                      watch_packages(packages_), package_lane};
  if (accounts_)
    result[runtime_kind::accounts] = {"accounts", std::make_shared<thread_executor>(),
                                      watch_accounts(accounts_), account_lane};
  if (may_change_network())
    result[runtime_kind::network] = {"network", std::make_shared<thread_executor>(),
                                     std::make_shared<network_monitor>(network_), network_lane};
  if (clusters_)
    result[runtime_kind::clusters] = {"clusters", std::make_shared<thread_executor>(),
                                      std::make_shared<cluster_monitor>(clusters_), cluster_lane};
  for (const auto& [runtime, uses] : secret_uses_)
    if (const auto found = result.find(runtime); found != result.end())
      found->second.monitor = std::make_shared<secret_monitor>(found->second.monitor, uses);
  return result;
}

store_options store_options_of(const agent_options& options) {
  store_options to;
  to.url = options.store;
  to.name = "harmony-agent " + options.agent_id;
  to.credentials = options.store_credentials;
  to.nkey = options.store_nkey;
  to.ca_file = options.store_ca;
  to.cert_file = options.store_cert;
  to.key_file = options.store_key;
  to.inbox_prefix = "_INBOX." + options.agent_id;
  return to;
}

} // namespace harmony
