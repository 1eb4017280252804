#include "apps/agent/own_paths.hpp"

#include <algorithm>
#include <filesystem>

#include <pwd.h>
#include <unistd.h>

#include "topology/real_path.hpp"
#include "topology/systemd_config.hpp"

namespace harmony {

namespace {

using path_list = std::vector<std::string>;

/// Where a manager finds units; systemd.unit(5).
path_list unit_folders(systemd_mode mode) {
  if (mode != systemd_mode::user)
    return {"/etc/systemd/system",
            "/etc/systemd/system.control",
            "/etc/systemd/system.attached",
            "/run/systemd/system",
            "/run/systemd/system.control",
            "/run/systemd/system.attached",
            "/run/systemd/transient",
            "/run/systemd/generator",
            "/run/systemd/generator.early",
            "/run/systemd/generator.late",
            "/usr/local/lib/systemd/system",
            "/usr/lib/systemd/system",
            "/lib/systemd/system"};
  systemd_config config;
  config.manager = systemd_config::scope::user;
  const auto own = unit_folder_of(config);
  const auto runtime = runtime_folder_of(config) / "systemd";
  path_list folders{own,
                    own.string() + ".control",
                    "/etc/systemd/user",
                    "/run/systemd/user",
                    "/usr/local/lib/systemd/user",
                    "/usr/lib/systemd/user"};
  for (const char* each :
       {"user", "user.control", "transient", "generator", "generator.early", "generator.late"})
    folders.push_back(runtime / each);
  return folders;
}

/// Whatever of these folders' is the unit, or is read with it.
void add_unit(path_list& to, const std::string& unit, systemd_mode mode) {
  const auto dash = unit.rfind('-');
  for (const auto& folder : unit_folders(mode))
    for (const auto& name :
         {unit, unit + ".d", unit.substr(0, dash + 1) + ".service.d", std::string{"service.d"}})
      to.emplace_back(folder).append("/").append(name);
}

path_list doors_of(const agent_options& options) {
  path_list doors{
    "/run/podman/podman.sock", "/run/docker.sock",     "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",     "/run/systemd/private", "/run/dbus/system_bus_socket"};
  for (std::size_t i = 0, n = doors.size(); i < n; ++i)
    doors.push_back("/var" + doors[i]);
  if (options.podman != "off")
    doors.push_back(options.podman);
  if (options.systemd == systemd_mode::user) {
    systemd_config config;
    config.manager = systemd_config::scope::user;
    for (const char* each : {"bus", "systemd/private", "podman/podman.sock"})
      doors.push_back(runtime_folder_of(config) / each);
  }
  return doors;
}

/// Adds where they lead to those that lead elsewhere.
path_list with_targets(path_list paths) {
  std::erase(paths, "");
  for (std::size_t i = 0, n = paths.size(); i < n; ++i)
    if (auto target = real_path(paths[i]);
        std::find(paths.begin(), paths.end(), target) == paths.end())
      paths.push_back(std::move(target));
  return paths;
}

std::string own_account() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0
      && found != nullptr)
    return found->pw_name;
  return std::to_string(::geteuid());
}

} // namespace

agent_own own_of(const agent_options& options) {
  agent_own own;
  std::error_code ignored;
  own.hidden = with_targets({options.state_dir, options.secrets_dir, "/etc/harmony-agent",
                             options.config.empty()
                               ? std::string{}
                               : std::filesystem::absolute(options.config, ignored).string(),
                             options.store_credentials, options.store_nkey, options.store_key});
  own.paths = {real_path("/proc/self/exe"), options.store_ca, options.store_cert,
               "/etc/sudoers.d/harmony-agent"};
  add_unit(own.paths, own.unit, options.systemd);
  own.paths = with_targets(std::move(own.paths));
  own.doors = with_targets(doors_of(options));
  own.user = own_account();
  return own;
}

std::shared_ptr<const device_guard> guard_of(const agent_options& options) {
  auto guard = std::make_shared<device_guard>();
  guard->policy = options.policy;
  guard->own = own_of(options);
  if (auto& denied = guard->policy.deny_paths)
    denied->values = with_targets(std::move(denied->values));
  guard->names_of = [](const std::string& path, bool below) {
    const auto real = real_path(path);
    const auto mounts = mounts_now();
    return below ? mounts.names_below(real) : mounts.names_of(real);
  };
  return guard;
}

} // namespace harmony
