#include "core/policy.hpp"

#include <algorithm>
#include <charconv>

#include "core/policy_rules.hpp"

namespace harmony {

namespace {

using policy_rules::listed;
using std::literals::operator""s;
constexpr auto npos = std::string::npos;

/// The first of several checks that refuses.
template <class... Checks>
std::optional<refusal> first_of(const Checks&... checks) {
  std::optional<refusal> result;
  (void)((result = checks(), result.has_value()) || ...);
  return result;
}

// --- whose
// ----------------------------------------------------------------------------------------

/// A file or folder that is given to `owner`, and would run as that with `set_id` in its mode.
template <class Spec>
std::optional<refusal> check_owner(const device_policy& p, const agent_own& own, const Spec& spec) {
  const bool as_user = spec.mode.size() == 4 && (spec.mode.front() - '0') & 04;
  const bool as_group = spec.mode.size() == 4 && (spec.mode.front() - '0') & 02;
  const bool is_file = std::is_same_v<Spec, file_spec>;
  const auto user = spec.owner.empty() ? own.user : spec.owner;
  return first_of(
    [&]() -> std::optional<refusal> {
      if (user == own.user && !(is_file && as_user))
        return {};
      return listed(p.users, "users", user, "owner '" + user + "'");
    },
    [&]() -> std::optional<refusal> {
      if (spec.group.empty() && !(is_file && as_group))
        return {};
      const auto group = spec.group.empty() ? user : spec.group;
      return group == own.user && !(is_file && as_group)
               ? std::nullopt
               : listed(p.groups, "groups", group, "group '" + group + "'");
    });
}

std::optional<refusal> check_account(const device_policy& p, const user_spec& spec) {
  if (auto no = listed(p.users, "users", spec.user, "account '" + spec.user + "'"))
    return no;
  if (spec.uid == 0U) // root by another name
    if (auto no = listed(p.users, "users", "root", "account '" + spec.user + "' with uid 0"))
      return no;
  auto groups = spec.groups;
  if (!spec.group.empty())
    groups.push_back(spec.group);
  for (const auto& group : groups)
    if (auto no = listed(p.groups, "groups", group, "group '" + group + "'"))
      return no;
  return {};
}

// --- containers
// -----------------------------------------------------------------------------------

/// "registry.example/app" of "registry.example/app:1.2@sha256:…".
std::string repository_of(std::string image) {
  image = image.substr(0, image.find('@'));
  const auto slash = image.rfind('/');
  return image.substr(0, image.find(':', slash == npos ? 0 : slash));
}

/// Whether "8080" or "8000-8999" has `port` in it.
bool has_port(const std::string& range, unsigned port) {
  unsigned from = 0;
  unsigned to = 0;
  const auto* end = range.data() + range.size();
  const auto first = std::from_chars(range.data(), end, from);
  if (first.ec != std::errc{})
    return false;
  if (first.ptr == end)
    return port == from;
  return *first.ptr == '-' && std::from_chars(first.ptr + 1, end, to).ptr == end && from <= port
         && port <= to;
}

std::optional<refusal> check_port(const device_policy& p, std::uint16_t port) {
  return listed(p.ports, "ports", "port " + std::to_string(port),
                [&](const std::string& range) { return has_port(range, port); });
}

std::optional<refusal> check_ports(const device_policy& p, const container_spec& spec) {
  if (p.ports && spec.network == "host")
    return refusal{"ports", p.ports->line, "network 'host', in which a container has every port"};
  for (const auto& each : spec.ports)
    if (auto no = check_port(p, each.host))
      return no;
  return {};
}

std::optional<refusal> check_container(const device_policy& p, const container_spec& spec) {
  const auto repository = repository_of(spec.image);
  return first_of(
    [&] {
      return listed(p.images, "images", "image '" + spec.image + "'",
                    [&](const std::string& prefix) { return is_within(repository, prefix); });
    },
    [&]() -> std::optional<refusal> {
      if (!p.digests || !p.digests->on || spec.image.find('@') != npos)
        return {};
      return refusal{"digest-only", p.digests->line, "image '" + spec.image + "' without a digest"};
    },
    [&] { return check_ports(p, spec); });
}

// --- PostgreSQL
// ---------------------------------------------------------------------------------------

/// As whom it runs, and with it every command of its settings; and where it is reached.
std::optional<refusal> check_member(const device_policy& p, const postgres_cluster_spec& spec) {
  if (auto no = listed(p.users, "users", spec.owner, "owner '" + spec.owner + "'"))
    return no;
  for (const auto& each : spec.members)
    if (each.name == spec.member)
      if (auto no = check_port(p, each.port))
        return no;
  return spec.endpoint.port == 0 ? std::nullopt : check_port(p, spec.endpoint.port);
}

// --- one kind each
// --------------------------------------------------------------------------------

struct kind_check {
  const device_policy& p;
  const agent_own& own;

  std::optional<refusal> operator()(const file_spec& s) const { return check_owner(p, own, s); }
  std::optional<refusal> operator()(const directory_spec& s) const {
    return check_owner(p, own, s);
  }
  std::optional<refusal> operator()(const systemd_unit_spec& s) const {
    return policy_rules::check_unit(p, own, s);
  }
  std::optional<refusal> operator()(const container_spec& s) const { return check_container(p, s); }
  std::optional<refusal> operator()(const shell_job_spec& s) const {
    return s.user.empty() ? std::nullopt
                          : listed(p.users, "users", s.user, "user '" + s.user + "'");
  }
  std::optional<refusal> operator()(const package_spec& s) const {
    return listed(p.packages, "packages", "package '" + s.package + "'",
                  [&](const std::string& pattern) { return matches(pattern, s.package); });
  }
  std::optional<refusal> operator()(const user_spec& s) const { return check_account(p, s); }
  std::optional<refusal> operator()(const network_spec& /*s*/) const { return {}; }
  std::optional<refusal> operator()(const postgres_cluster_spec& s) const {
    return check_member(p, s);
  }
};

/// The commands of probes that run on the device, with the agent's own rights.
std::optional<refusal> check_probes(const device_policy& p, const resource& r) {
  if (!p.exec_probes || p.exec_probes->on || std::holds_alternative<container_spec>(r.spec))
    return {};
  for (const auto* each : {&r.probes.startup, &r.probes.readiness, &r.probes.liveness})
    if (*each && std::holds_alternative<exec_probe>((*each)->check))
      return refusal{"exec-probes", p.exec_probes->line,
                     "probe command '" + std::get<exec_probe>((*each)->check).command.front()
                       + "' on the device"};
  return {};
}

bool allows_kind(const device_policy& p, const char* kind) {
  return !check_kind(p, kind);
}

} // namespace

std::optional<refusal> policy_rules::listed(const std::optional<policy_list>& rule,
                                            const char* name, const std::string& value,
                                            const std::string& what) {
  return listed(rule, name, what, [&](const std::string& each) { return each == value; });
}

std::optional<refusal> check_kind(const device_policy& p, const std::string& kind) {
  if (auto no = listed(p.kinds, "kinds", kind, "kind " + kind))
    return no;
  if (kind == "ShellJob" && (!p.shell_jobs || !p.shell_jobs->on))
    return refusal{"shell-jobs", p.shell_jobs ? p.shell_jobs->line : 0, "kind " + kind};
  return {};
}

std::optional<refusal> check(const device_policy& p, const agent_own& own, const resource& r) {
  if (auto no = check_kind(p, r.id.kind))
    return no;
  for (const auto& each : touched_paths(r, own))
    if (auto no = check_path(p, own, each.use, {each.path}))
      return no;
  if (auto no = std::visit(kind_check{p, own}, r.spec))
    return no;
  return check_probes(p, r);
}

failure explain(const device_policy& p, const refusal& why) {
  if (why.rule.empty())
    return {ec::not_allowed, why.what + ": that is the agent's own, and no manifest's"};
  if (why.line == 0)
    return {ec::not_allowed, "policy." + why.rule + ", which " + p.file
                               + " does not set, does not allow " + why.what};
  return {ec::not_allowed, p.file + ":" + std::to_string(why.line) + " policy." + why.rule
                             + " does not allow " + why.what};
}

std::string gaps(const device_policy& p) {
  const auto plain =
    device_policy{p.file, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, p.shell_jobs, {}};
  if (p == plain)
    return {};
  std::string text;
  const auto tell = [&](bool open, const char* what) {
    if (open)
      text += (text.empty() ? "" : "; ") + ""s + what;
  };
  tell(!p.paths && (allows_kind(p, "File") || allows_kind(p, "Directory")),
       "paths: a File may be put anywhere, and so run as root by what starts files there");
  tell(!p.users && allows_kind(p, "SystemdUnit"), "users: a SystemdUnit may run as root");
  tell(!p.mounts && allows_kind(p, "Container"),
       "mounts: a Container may be given any folder of the device");
  tell(!p.packages && allows_kind(p, "Package"),
       "packages: any package may be installed, and its scripts run as root");
  tell(!p.exec_probes, "exec-probes: a probe may run any command as the agent's user");
  return text;
}

bool matches(std::string_view pattern, std::string_view text) noexcept {
  // The last '*' is where to go on from when what follows does not fit.
  auto star = std::string_view::npos;
  std::size_t at = 0;
  std::size_t from = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      from = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

} // namespace harmony
