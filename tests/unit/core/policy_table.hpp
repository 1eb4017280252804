#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/policy.hpp"
#include "support/catch.hpp"

/// The resources and policies of the policy's table, and how a row is held.
namespace harmony::test::policy_table {

using list = std::vector<std::string>;

const agent_own own{{"/etc/harmony-agent", "/var/lib/harmony-agent"},
                    {"/usr/bin/harmony-agent", "/etc/systemd/system/harmony-agent.service",
                     "/etc/systemd/system/harmony-agent.service.d"},
                    {"/run/podman/podman.sock", "/run/dbus/system_bus_socket"},
                    "harmony-agent.service",
                    "root"};

inline resource of(resource_spec spec) {
  resource r;
  r.id = {std::string{kind_of(spec)}, "x"};
  r.spec = std::move(spec);
  return r;
}

inline resource file(std::string path, std::string owner = {}, std::string mode = "0644",
                     std::string group = {}) {
  file_spec s;
  s.path = std::move(path);
  s.owner = std::move(owner);
  s.mode = std::move(mode);
  s.group = std::move(group);
  return of(s);
}

inline resource folder(std::string path, std::string owner = {}, std::string mode = "0755") {
  directory_spec s;
  s.path = std::move(path);
  s.owner = std::move(owner);
  s.mode = std::move(mode);
  return of(s);
}

inline resource unit(std::string name, std::optional<std::string> content = {}) {
  systemd_unit_spec s;
  s.unit = std::move(name);
  s.content = std::move(content);
  return of(s);
}

inline resource service(const std::string& lines) {
  return unit("app.service", "[Service]\n" + lines);
}

inline resource image(std::string name) {
  container_spec s;
  s.image = std::move(name);
  return of(s);
}

inline resource bind(std::string source, bool read_only = false) {
  container_spec s;
  s.image = "app";
  s.mounts.push_back({mount_type::bind, std::move(source), "/x", read_only});
  return of(s);
}

inline resource publishing(std::uint16_t port) {
  container_spec s;
  s.image = "app";
  s.ports.push_back({port, 80, transport_protocol::tcp, {}});
  return of(s);
}

inline resource on_network(std::string name) {
  container_spec s;
  s.image = "app";
  s.network = std::move(name);
  return of(s);
}

inline resource job(list writable = {}, std::string user = {}) {
  shell_job_spec s;
  s.command = {"/bin/true"};
  s.writable = std::move(writable);
  s.user = std::move(user);
  return of(s);
}

inline resource package(std::string name) {
  package_spec s;
  s.package = std::move(name);
  return of(s);
}

inline resource account(std::string name, list groups = {}, std::optional<std::uint32_t> uid = {},
                        std::optional<std::string> home = {}) {
  user_spec s;
  s.user = std::move(name);
  s.groups = std::move(groups);
  s.uid = uid;
  s.home = std::move(home);
  return of(s);
}

/// The second of two members, whose port it is; the first one's is no business of this device.
inline resource member(std::string data_dir, std::string owner = "postgres",
                       std::uint16_t port = 5432, std::uint16_t endpoint = 0) {
  postgres_cluster_spec s;
  s.cluster = "c";
  s.member = "b";
  s.members = {{"a", "h", 1}, {"b", "i", port}};
  s.data_dir = std::move(data_dir);
  s.owner = std::move(owner);
  s.endpoint.port = endpoint;
  return of(s);
}

inline resource probed(resource r) {
  r.probes.readiness = probe{exec_probe{{"/bin/sh"}}};
  return r;
}

/// A policy whose only rule is `member`, at line 7.
inline device_policy only(std::optional<policy_list> device_policy::*member, list values) {
  device_policy p;
  p.*member = policy_list{7, std::move(values)};
  return p;
}
inline device_policy only(std::optional<policy_switch> device_policy::*member, bool on) {
  device_policy p;
  p.*member = policy_switch{7, on};
  return p;
}

using dp = device_policy;
const device_policy none;
const auto kinds = only(&dp::kinds, {"File"});
const auto paths = only(&dp::paths, {"/srv", "/etc/app"});
const auto deny = only(&dp::deny_paths, {"/etc/ssl", "/srv/keys"});
const auto units = only(&dp::units, {"app-*.service", "cron.service"});
const auto images = only(&dp::images, {"registry.example", "docker.io/library/nginx"});
const auto digests = only(&dp::digests, true);
const auto ports = only(&dp::ports, {"8080", "9000-9100"});
const auto mounts = only(&dp::mounts, {"/srv", "/run/podman/podman.sock"});
const auto whole = only(&dp::mounts, {"/"});
const auto users = only(&dp::users, {"app", "www-data"});
const auto groups = only(&dp::groups, {"app"});
const auto capabilities = only(&dp::capabilities, {"CAP_NET_BIND_SERVICE"});
const auto packages = only(&dp::packages, {"app-*", "curl"});
const auto jobs = only(&dp::shell_jobs, true);
const auto no_jobs = only(&dp::shell_jobs, false);
const auto no_probes = only(&dp::exec_probes, false);

const std::string digest = "@sha256:" + std::string(64, 'a');

struct row {
  const device_policy& policy;
  resource what;
  std::string expected; ///< "rule:line", "own", or empty: allowed
};

inline std::string verdict_of(const row& r) {
  const auto no = check(r.policy, own, r.what);
  if (!no)
    return {};
  return no->rule.empty() ? "own" : no->rule + ":" + std::to_string(no->line);
}

inline void hold(const std::vector<row>& rows) {
  for (const auto& each : rows) {
    const auto no = check(each.policy, own, each.what);
    INFO(each.what.id.str() << ": " << (no ? explain(each.policy, *no).message : "allowed"));
    INFO(canonical(each.what.spec));
    CHECK(verdict_of(each) == each.expected);
  }
}

} // namespace harmony::test::policy_table
