// The rules about paths.

#include <algorithm>

#include "core/policy_rules.hpp"

namespace harmony {

namespace {

/// Whether others than the agent may change what this is.
template <class Spec>
bool is_given_away(const Spec& spec, const agent_own& own) {
  const bool others_write =
    spec.mode.size() == 4 && (((spec.mode[2] - '0') | (spec.mode[3] - '0')) & 02) != 0;
  return others_write || (!spec.owner.empty() && spec.owner != own.user);
}

struct path_reader {
  const agent_own& own;
  std::vector<touched_path> result;

  void operator()(const file_spec& s) { result.push_back({s.path, path_use::file}); }
  void operator()(const directory_spec& s) {
    result.push_back({s.path, is_given_away(s, own) ? path_use::given_away : path_use::folder});
  }
  void operator()(const container_spec& s) {
    for (const auto& m : s.mounts)
      if (m.type == mount_type::bind)
        result.push_back({m.source, m.read_only ? path_use::mounted : path_use::mounted_rw});
  }
  void operator()(const shell_job_spec& s) {
    for (const auto& path : s.writable)
      result.push_back({path, path_use::job_writes});
  }
  void operator()(const user_spec& s) {
    if (s.home)
      result.push_back({*s.home, path_use::given_away});
  }
  void operator()(const postgres_cluster_spec& s) {
    result.push_back({s.data_dir, path_use::given_away});
  }
  template <class Other>
  void operator()(const Other&) {}
};

bool is_mount(path_use use) {
  return use == path_use::mounted || use == path_use::mounted_rw;
}

/// Whether such a use of a folder is one of all that lies below it.
bool reaches_below(path_use use) {
  return use != path_use::file && use != path_use::folder;
}

std::string verb_of(path_use use) {
  switch (use) {
  case path_use::job_writes: return "writing to ";
  case path_use::mounted:
  case path_use::mounted_rw: return "a mount of ";
  default: return {};
  }
}

/// Says what is refused; `found` is what it was found to be or to hold.
std::string describe(path_use use, const std::vector<std::string>& names,
                     const std::string& found) {
  auto text = verb_of(use) + "'" + names.front() + "'";
  if (found == names.front())
    return text;
  return text + (is_within(found, names.front()) ? ", which holds '" : ", which is '") + found
         + "'";
}

/// What of the agent's own `name` is, is in, or opens; empty: nothing.
std::string own_at(const agent_own& own, path_use use, const std::string& name) {
  for (const auto* list : {&own.hidden, &own.paths})
    for (const auto& mine : *list) {
      if (is_within(name, mine))
        return name;
      const bool sandboxed = use == path_use::job_writes && list == &own.hidden;
      if (reaches_below(use) && use != path_use::mounted && !sandboxed && is_within(mine, name))
        return mine;
    }
  return {};
}

std::optional<refusal> check_denied(const device_policy& p, path_use use,
                                    const std::vector<std::string>& names) {
  if (!p.deny_paths)
    return {};
  for (const auto& name : names)
    for (const auto& denied : p.deny_paths->values) {
      if (is_within(name, denied))
        return refusal{"deny-paths", p.deny_paths->line, describe(use, names, name)};
      if (reaches_below(use) && is_within(denied, name))
        return refusal{"deny-paths", p.deny_paths->line, describe(use, names, denied)};
    }
  return {};
}

/// What commands the device is mounted only where the policy names just that.
std::optional<refusal> check_doors(const device_policy& p, const agent_own& own, path_use use,
                                   const std::vector<std::string>& names) {
  const auto is_named = [&] {
    return p.mounts && std::any_of(names.begin(), names.end(), [&](const std::string& name) {
             const auto& all = p.mounts->values;
             return std::find(all.begin(), all.end(), name) != all.end();
           });
  };
  const auto line = p.mounts ? p.mounts->line : 0;
  for (const auto& name : names) {
    if (name == "/" && !is_named())
      return refusal{"mounts", line, describe(use, names, name) + ", the whole device"};
    for (const auto& door : own.doors)
      if (is_within(door, name) && !is_named())
        return refusal{"mounts", line, describe(use, names, door) + ", which commands the device"};
  }
  return {};
}

} // namespace

std::vector<touched_path> touched_paths(const resource& r, const agent_own& own) {
  path_reader reader{own, {}};
  std::visit(reader, r.spec);
  return std::move(reader.result);
}

std::optional<refusal> check_path(const device_policy& p, const agent_own& own, path_use use,
                                  const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (const auto mine = own_at(own, use, name); !mine.empty())
      return refusal{{}, 0, describe(use, names, mine)};
  if (auto no = check_denied(p, use, names))
    return no;
  if (is_mount(use))
    if (auto no = check_doors(p, own, use, names))
      return no;
  const auto fits = [&](const std::string& prefix) { return is_within(names.front(), prefix); };
  const auto what = describe(use, names, names.front());
  return is_mount(use) ? policy_rules::listed(p.mounts, "mounts", what, fits)
                       : policy_rules::listed(p.paths, "paths", what, fits);
}

bool is_within(std::string_view path, std::string_view prefix) noexcept {
  if (prefix == "/")
    return !path.empty() && path.front() == '/';
  return path.substr(0, prefix.size()) == prefix
         && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

} // namespace harmony
