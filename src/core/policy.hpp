#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest.hpp"

namespace harmony {

/// A rule of the policy: what it lists, and the line of agent.toml that says so.
struct policy_list {
  unsigned line = 0;
  std::vector<std::string> values;

  friend bool operator==(const policy_list&, const policy_list&) = default;
};
struct policy_switch {
  unsigned line = 0;
  bool on = false;

  friend bool operator==(const policy_switch&, const policy_switch&) = default;
};

/// What this device's owner lets manifests do: section [policy] of agent.toml. A rule that is not
/// set allows what is allowed without a policy. docs/security.md is its specification.
struct device_policy {
  std::string file = "agent.toml"; ///< where its lines are
  std::optional<policy_list> kinds;
  std::optional<policy_list> paths;         ///< prefixes of what may be written
  std::optional<policy_list> deny_paths;    ///< prefixes of what may be neither written nor mounted
  std::optional<policy_list> units;         ///< patterns
  std::optional<policy_list> images;        ///< registries and repositories
  std::optional<policy_switch> digests;     ///< `digest-only`
  std::optional<policy_list> ports;         ///< of the device that containers may publish
  std::optional<policy_list> mounts;        ///< prefixes of what containers may see
  std::optional<policy_list> users;         ///< that files may be given to and programs may run as
  std::optional<policy_list> groups;        ///< the same
  std::optional<policy_list> capabilities;  ///< that units may ask for
  std::optional<policy_list> packages;      ///< patterns
  std::optional<policy_switch> shell_jobs;  ///< not set: none
  std::optional<policy_switch> exec_probes; ///< whether probes may run commands on the device

  friend bool operator==(const device_policy&, const device_policy&) = default;
};

/// What is the agent's own, and no manifest's whatever the policy says.
struct agent_own {
  /// Prefixes that no job, running in its sandbox, can see: state, configuration, credentials.
  std::vector<std::string> hidden;
  std::vector<std::string> paths; ///< the others: the program, its unit and what adds to that
  /// Sockets by which a container could command the device. Not the agent's own: a policy may name
  /// them.
  std::vector<std::string> doors;
  std::string unit = "harmony-agent.service";
  std::string user = "root"; ///< the account it runs as

  friend bool operator==(const agent_own&, const agent_own&) = default;
};

/// What a policy says no to.
struct refusal {
  std::string rule;  ///< the key in agent.toml; empty: it is the agent's own
  unsigned line = 0; ///< 0: the default
  std::string what;

  friend bool operator==(const refusal&, const refusal&) = default;
};

/// What a resource does to a path of the device.
enum class path_use {
  file,       ///< is there as a file
  folder,     ///< is there as a folder
  given_away, ///< the same, which others than the agent may change
  job_writes, ///< a job may write at and below it
  mounted,    ///< a container sees it and what is below
  mounted_rw  ///< the same, and may write there
};

struct touched_path {
  std::string path;
  path_use use = path_use::file;

  friend bool operator==(const touched_path&, const touched_path&) = default;
};

/// The paths of the device that `r` names and changes or shows.
std::vector<touched_path> touched_paths(const resource& r, const agent_own& own);

/// Whether `p` allows that. `names` are those that the thing at the path has on this device, its
/// own first: what counts of an allowed prefix is the first, and no name may be a denied one.
std::optional<refusal> check_path(const device_policy& p, const agent_own& own, path_use use,
                                  const std::vector<std::string>& names);

/// Whether `p` allows resources of that kind at all.
std::optional<refusal> check_kind(const device_policy& p, const std::string& kind);

/// Whether `p` allows `r`, as far as its declaration tells; nothing: it does. Total.
std::optional<refusal> check(const device_policy& p, const agent_own& own, const resource& r);

/// Says so: NotAllowed, with the rule and its line.
failure explain(const device_policy& p, const refusal& why);

/// Rules that this policy leaves open so that others can be got around; for a person. Empty: none.
std::string gaps(const device_policy& p);

/// Whether `text` is as `pattern`, in which `*` is any text.
bool matches(std::string_view pattern, std::string_view text) noexcept;

/// Whether `path` is `prefix` or lies below it.
bool is_within(std::string_view path, std::string_view prefix) noexcept;

} // namespace harmony
