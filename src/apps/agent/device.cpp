#include "apps/agent/device.hpp"

#include "reconcilers/container.hpp"
#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "reconcilers/network.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "topology/files_monitor.hpp"
#include "topology/network_monitor.hpp"
#include "topology/podman_monitor.hpp"
#include "topology/systemd_monitor.hpp"

namespace harmony {

static_assert(has_files<linux_device>);
static_assert(has_systemd<linux_device>);
static_assert(has_containers<linux_device>);
static_assert(has_network<linux_device>);

namespace {

/// Operations of one runtime that make progress at once. Files contend for one disk; a unit's start
/// is mostly waiting; podman works on a few things at a time.
constexpr lane_limits file_lane{4};
constexpr lane_limits systemd_lane{16};
constexpr lane_limits container_lane{8};
/// One change of the network at a time, so that it is known which one cut the device off.
constexpr lane_limits network_lane{1};

} // namespace

linux_device::linux_device(const agent_options& options, store& link)
  : commander_(link, options.agent_id, store_options_of(options)) {
  if (options.systemd != systemd_mode::off) {
    systemd_config config;
    config.manager = options.systemd == systemd_mode::user ? systemd_config::scope::user
                                                           : systemd_config::scope::system;
    systemd_ = std::make_unique<systemd_manager>(config);
  }
  if (options.podman != "off")
    podman_ = std::make_unique<podman_client>(options.podman);
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
  if (may_change_network())
    all["Network"] = std::make_shared<driver_of<network_reconciler<linux_device>>>(*this);
  else
    result->missing["Network"] = "the agent lacks CAP_NET_ADMIN";
  for (const auto* kind : {"ShellJob", "Package", "User"})
    if (all.count(kind) == 0)
      result->missing.try_emplace(kind, "this version has no driver for it");
  return result;
}

std::map<runtime_kind, runtime_config> linux_device::runtimes(const std::string& agent) {
  std::map<runtime_kind, runtime_config> result;
  result[runtime_kind::files] = {"files", std::make_shared<thread_executor>(),
                                 std::make_shared<inotify_files_monitor>(), file_lane};
  if (systemd_)
    result[runtime_kind::systemd] = {"systemd", std::make_shared<thread_executor>(),
                                     std::make_shared<systemd_monitor>(*systemd_, *systemd_),
                                     systemd_lane};
  if (podman_)
    result[runtime_kind::containers] = {"containers", std::make_shared<thread_executor>(),
                                        std::make_shared<podman_monitor>(*podman_, agent),
                                        container_lane};
  if (may_change_network())
    result[runtime_kind::network] = {"network", std::make_shared<thread_executor>(),
                                     std::make_shared<network_monitor>(network_), network_lane};
  return result;
}

store_options store_options_of(const agent_options& options) {
  store_options to;
  to.url = options.store;
  to.name = "harmony-agent " + options.agent_id;
  to.credentials = options.store_credentials;
  to.ca_file = options.store_ca;
  to.inbox_prefix = "_INBOX." + options.agent_id;
  return to;
}

} // namespace harmony
