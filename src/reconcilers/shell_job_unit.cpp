#include "reconcilers/shell_job_unit.hpp"

#include <algorithm>
#include <utility>

namespace harmony {

namespace {

constexpr std::uint64_t second = 1'000'000; // in systemd's microseconds

/// Sockets by which a job of root could have somebody else do what its sandbox forbids. A path that
/// is not there ("-") is none to hide.
constexpr const char* doors[] = {"-/run/dbus", "-/run/systemd/private", "-/run/podman",
                                 "-/run/docker.sock", "-/run/containerd"};

void add_sandbox(std::vector<unit_setting>& to) {
  for (const auto* name :
       {"NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables",
        "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock",
        "ProtectHostname", "RestrictSUIDSGID", "RestrictRealtime", "LockPersonality",
        "MemoryDenyWriteExecute", "RemoveIPC"})
    to.push_back({name, true});
  to.push_back({"ProtectSystem", std::string{"strict"}});
  to.push_back({"ProtectHome", std::string{"yes"}});
  to.push_back({"ProtectProc", std::string{"invisible"}});
  to.push_back({"RestrictNamespaces", std::uint64_t{0}}); // the kinds that are left: none
  to.push_back({"CapabilityBoundingSet", std::uint64_t{0}});
  to.push_back(
    {"RestrictAddressFamilies", allow_list{{"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}}});
  to.push_back({"SystemCallArchitectures", std::vector<std::string>{"native"}});
  to.push_back({"SystemCallFilter", allow_list{{"@system-service"}}});
}

void add_limits(const shell_job_spec& spec, std::vector<unit_setting>& to) {
  to.push_back({"MemoryMax", spec.memory});
  to.push_back({"TasksMax", std::uint64_t{spec.tasks}});
  to.push_back({"CPUQuotaPerSecUSec", std::uint64_t{spec.cpu_percent} * (second / 100)});
  // Of a oneshot the whole run is its start; RuntimeMaxSec= has no effect on it.
  to.push_back({"TimeoutStartUSec", std::uint64_t{spec.timeout} * second});
  to.push_back({"TimeoutStopUSec", 5 * second});
}

} // namespace

std::string job_unit_name(const resource_id& id) {
  return "harmony-job-" + id.name + ".service";
}

// No resource's name has a dot, so no job's unit is another's guard.
std::string guard_unit_name(const resource_id& id) {
  return "harmony-job-" + id.name + ".unless.service";
}

std::string job_marker(std::string_view agent, const resource_id& id) {
  return "Harmony " + id.str() + " of " + std::string{agent} + ", run ";
}

transient_unit job_unit(const desired<shell_job_spec>& want, std::string name,
                        std::string description, const std::vector<std::string>& command,
                        const std::vector<std::string>& hidden) {
  const auto& spec = want.spec;
  transient_unit unit{std::move(name), {}};
  auto& to = unit.settings;
  to.push_back({"Description", std::move(description)});
  to.push_back({"Type", std::string{"oneshot"}});
  // A run that ended well is held until its result was read, as systemd does with a failed one.
  to.push_back({"RemainAfterExit", true});
  to.push_back({"ExecStartEx", exec_line{command}});
  if (!spec.env.empty()) {
    std::vector<std::string> variables;
    for (const auto& [variable, value] : spec.env)
      variables.emplace_back(variable).append("=").append(value);
    to.push_back({"Environment", std::move(variables)});
  }
  if (!spec.working_dir.empty())
    to.push_back({"WorkingDirectory", spec.working_dir});
  if (spec.user.empty())
    to.push_back({"DynamicUser", true});
  else
    to.push_back({"User", spec.user});
  add_sandbox(to);
  to.push_back({"PrivateNetwork", !spec.network});
  if (!spec.writable.empty())
    to.push_back({"ReadWritePaths", spec.writable});
  // systemd 252 mounts /run anew for ProtectProc= and then leaves it out of ProtectSystem=strict.
  if (std::find(spec.writable.begin(), spec.writable.end(), "/run") == spec.writable.end())
    to.push_back({"ReadOnlyPaths", std::vector<std::string>{"/run"}});
  std::vector<std::string> unseen{std::begin(doors), std::end(doors)};
  for (const auto& path : hidden)
    unseen.push_back("-" + path);
  to.push_back({"InaccessiblePaths", std::move(unseen)});
  add_limits(spec, to);
  return unit;
}

void redirect(transient_unit& unit, const job_output& to) {
  unit.settings.push_back({"StandardOutputFileToTruncate", to.out.string()});
  unit.settings.push_back({"StandardErrorFileToTruncate", to.err.string()});
}

} // namespace harmony
