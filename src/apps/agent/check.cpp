#include "apps/agent/check.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/age.hpp"
#include "core/freshness.hpp"

namespace harmony {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mebi = std::uint64_t{1} << 20;
/// The database, its log and a manifest need some; a device that logs and pulls needs more.
constexpr std::uint64_t too_little = 16 * mebi;
constexpr std::uint64_t little = 128 * mebi;
constexpr std::uint64_t few_files = 1000;

/// The store stamped a manifest so long after this device's now: not delay but a clock.
constexpr auto doubtful = 5s;

finding ok(std::string subject, std::string message) {
  return {verdict::ok, std::move(subject), std::move(message), {}};
}

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes / mebi) + " MiB";
}

finding judge_agent(const device_sight& d) {
  if (d.running)
    return ok("agent", "'" + d.agent + "' runs");
  return {verdict::fail, "agent", "no agent runs with the state folder '" + d.state_dir + "'",
          "systemctl enable --now harmony-agent; journalctl -u harmony-agent -n 50"};
}

finding judge_config(const device_sight& d) {
  if (d.config_fault.empty())
    return ok("configuration",
              d.trust.config ? "is valid, and nobody else can change the file" : "is valid");
  return {verdict::fail, "configuration", d.config_fault,
          "correct it, then: systemctl restart harmony-agent"};
}

finding judge_policy(const device_sight& d) {
  if (const auto open = gaps(d.policy); !open.empty())
    return {verdict::warn, "policy", "can be got around, as these rules are not set: " + open,
            "set them in [policy] of agent.toml; docs/security.md"};
  const bool none = d.policy == device_policy{d.policy.file};
  return ok("policy", none ? "is not set: a manifest may do all but run ShellJobs"
                           : "is set in " + d.policy.file);
}

finding judge_user(const device_sight& d) {
  if (!d.root)
    return {verdict::warn, "user", "not root: Package, User and files of others cannot be managed",
            "run this check as the user that the agent runs as, mostly: sudo harmony-agent check"};
  if (!d.may_change_network)
    return {verdict::warn, "user", "root without CAP_NET_ADMIN: Network resources are Rejected",
            "where it is wanted: CapabilityBoundingSet in the unit; docs/operations/service.md"};
  return ok("user", "root");
}

finding judge_store(const device_sight& d) {
  if (d.store_read)
    return ok("store", "'" + d.store_url + "' answers; "
                         + (*d.store_read ? "it has" : "it does not have") + " a manifest for '"
                         + d.agent + "'");
  const auto& why = d.store_read.error();
  switch (why.code) {
  case ec::bucket_not_found:
    return {verdict::fail, "store", why.message, "an operator runs 'harmonyctl init' once"};
  case ec::store_denied:
    return {verdict::fail, "store", why.message,
            "the credentials must allow '" + d.agent + "' its own keys; docs/stores.md"};
  default:
    return {verdict::fail, "store", "'" + d.store_url + "': " + why.message,
            "check the network, 'store' and 'store-ca' in agent.toml; what runs here runs on; "
            "docs/operations/store-unreachable.md"};
  }
}

finding judge_right(const device_sight& d) {
  if (d.store_write)
    return ok("permissions", "it may read its manifest and write its status");
  return {verdict::fail, "permissions",
          "its status cannot be written: " + d.store_write.error().message,
          "give the agent's user the right to write its key of 'actual-state'; docs/stores.md"};
}

finding judge_clock(const device_sight& d) {
  if (d.wall < earliest_time)
    return {verdict::fail, "clock",
            "says " + format_time(d.wall)
              + ": it was never set, and what ends at a time cannot be judged (expiresAt, "
                "credentials, certificates)",
            "timedatectl set-ntp true; docs/operations/clock-wrong.md"};
  if (d.store_read && *d.store_read && **d.store_read > d.wall + doubtful)
    return {verdict::fail, "clock",
            "is at least " + format_age(**d.store_read - d.wall) + " behind the store's",
            "timedatectl set-ntp true; docs/operations/clock-wrong.md"};
  if (!d.clock_synchronised)
    return {verdict::warn, "clock", format_time(d.wall) + ", and nothing keeps it right",
            "timedatectl set-ntp true, or install chrony"};
  return ok("clock", format_time(d.wall) + ", kept right by a time server");
}

finding judge_folder(const device_sight& d) {
  const auto subject = "state folder";
  if (!d.state)
    return {verdict::fail, subject, d.state.error().message,
            "run this check as the agent's user (sudo), or see 'state-dir' in agent.toml"};
  const auto& f = *d.state;
  const auto name = "'" + d.state_dir + "'";
  if (f.read_only)
    return {verdict::fail, subject, name + " lies on a file system that is read-only",
            "dmesg | grep -i remount; then fsck, or a new disk; docs/operations/state-degraded.md"};
  if (!f.own || (f.mode & 077) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", f.mode);
    return {verdict::warn, subject,
            name + (f.own ? " has mode " + std::string{mode.data()} : " is another user's"),
            "it holds what manifests hold, secrets too: chmod 0700 " + d.state_dir};
  }
  return ok(subject, name + " is the agent's alone");
}

finding judge_disk(const folder_sight& f) {
  const auto space = mebibytes(f.free_bytes) + " of " + mebibytes(f.total_bytes) + " free";
  const auto remedy =
    "du -xh / | sort -h | tail; journalctl --vacuum-size=50M; podman image prune; "
    "docs/operations/disk-full.md";
  if (f.free_bytes < too_little)
    return {verdict::fail, "disk", space, remedy};
  if (f.total_files != 0 && f.free_files < few_files)
    return {verdict::fail, "disk",
            space + ", but only " + std::to_string(f.free_files) + " files may be added", remedy};
  if (f.free_bytes < little)
    return {verdict::warn, "disk", space, remedy};
  return ok("disk", space);
}

finding judge_runtime(const std::string& subject, const std::optional<outcome<void>>& seen,
                      const std::string& kinds, const std::string& remedy) {
  if (!seen)
    return ok(subject, "off: " + kinds + " resources are Rejected");
  if (!*seen)
    return {verdict::fail, subject, seen->error().message, remedy};
  return ok(subject, "answers");
}

finding judge_packages(const std::optional<outcome<bool>>& seen) {
  if (!seen)
    return ok("apt", "not on this device: Package resources are Rejected");
  if (!*seen)
    return {verdict::fail, "apt", seen->error().message,
            "dpkg --audit; ls -l /var/lib/dpkg/status"};
  if (**seen)
    return {verdict::warn, "apt", "a transaction runs, or was cut off",
            "the agent completes it with the next Package resource; by hand: dpkg --configure -a"};
  return ok("apt", "dpkg's records can be read");
}

} // namespace

findings judge(const device_sight& d) {
  findings all{judge_config(d), judge_policy(d), judge_agent(d), judge_user(d), judge_store(d)};
  if (d.store_read)
    all.push_back(judge_right(d));
  for (auto& each : judge(d.trust))
    all.push_back(std::move(each));
  all.push_back(judge_clock(d));
  all.push_back(judge_folder(d));
  if (d.state)
    all.push_back(judge_disk(*d.state));
  all.push_back(judge_runtime("systemd", d.systemd, "SystemdUnit and ShellJob",
                              "systemctl status; ls -l /run/dbus/system_bus_socket; "
                              "docs/operations/systemd-away.md"));
  all.push_back(
    judge_runtime("podman", d.podman, "Container",
                  "systemctl enable --now podman.socket; docs/operations/podman-away.md"));
  all.push_back(judge_packages(d.packages));
  return all;
}

} // namespace harmony
