// What resources of one manifest say of each other: duplicates, dependencies, cycles.

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

#include "model/detail/shapes.hpp"

namespace harmony::detail {

namespace {

using index = std::size_t;
using lookup = std::unordered_map<resource_id, index>;

constexpr auto none = static_cast<index>(-1);

/// Says something of resource `i`, at `step` below it.
void fault(std::vector<complaints>& parts, index i, const std::string& step, std::string message,
           ec code) {
  parts[i].add("spec.resources[" + std::to_string(i) + "]" + step, std::move(message), code);
}

lookup find_duplicates(const manifest& m, std::vector<complaints>& parts) {
  lookup first;
  for (index i = 0; i < m.resources.size(); ++i) {
    const auto& id = m.resources[i].id;
    if (id.kind.empty() || id.name.empty())
      continue;
    if (const auto [holder, fresh] = first.try_emplace(id, i); !fresh)
      fault(parts, i, ".name",
            "'" + id.str() + "' is the id of spec.resources[" + std::to_string(holder->second)
              + "] too",
            ec::duplicate_name);
  }
  return first;
}

/// The thing on the device that two resources must not both manage, and the field that names it.
struct claim {
  std::string_view thing;
  std::string_view field;
};

std::vector<claim> claims_of(const resource_spec& spec) {
  if (const auto* file = std::get_if<file_spec>(&spec))
    return {{file->path, "path"}};
  if (const auto* folder = std::get_if<directory_spec>(&spec))
    return {{folder->path, "path"}};
  if (const auto* unit = std::get_if<systemd_unit_spec>(&spec))
    return {{unit->unit, "unit"}};
  if (const auto* package = std::get_if<package_spec>(&spec))
    return {{package->package, "package"}};
  if (const auto* user = std::get_if<user_spec>(&spec))
    return {{user->user, "user"}};
  if (const auto* network = std::get_if<network_spec>(&spec))
    return {{network->link, "link"}};
  if (const auto* member = std::get_if<postgres_cluster_spec>(&spec))
    return {{member->cluster, "cluster"}, {member->data_dir, "dataDir"}};
  return {}; // a container's and a job's name follow from the id
}

void find_shared_targets(const manifest& m, std::vector<complaints>& parts) {
  // By field too: a package and a user may have one name.
  std::map<std::pair<std::string_view, std::string_view>, std::vector<index>> holders;
  for (index i = 0; i < m.resources.size(); ++i)
    if (const auto& r = m.resources[i]; !r.id.name.empty())
      for (const auto& each : claims_of(r.spec))
        if (!each.thing.empty())
          holders[{each.field, each.thing}].push_back(i);
  for (const auto& [key, all] : holders)
    for (const auto i : all) {
      const auto& id = m.resources[i].id;
      const auto other =
        std::find_if(all.begin(), all.end(), [&](index j) { return m.resources[j].id != id; });
      if (other != all.end())
        fault(parts, i, ".spec." + std::string{key.first},
              shown(std::string{key.second}) + " is managed by '" + m.resources[*other].id.str()
                + "' too",
              ec::duplicate_name);
    }
}

void check_known(const manifest& m, const lookup& known, std::vector<complaints>& parts) {
  const auto check = [&](index i, const resource_id& id, const std::string& step) {
    if (!id.name.empty() && known.count(id) == 0)
      fault(parts, i, step, "'" + id.str() + "' is not in this manifest", ec::unknown_dependency);
  };
  for (index i = 0; i < m.resources.size(); ++i) {
    const auto& r = m.resources[i];
    for (index k = 0; k < r.depends_on.size(); ++k) {
      const auto step = ".dependsOn[" + std::to_string(k) + "]";
      check(i, r.depends_on[k].id, step);
      if (r.depends_on[k].condition == dependency_condition::completed
          && r.depends_on[k].id.kind != "ShellJob")
        fault(parts, i, step + ".condition",
              "'" + r.depends_on[k].id.str() + "' never completes; only a ShellJob does",
              ec::invalid_spec);
    }
    for (index k = 0; k < r.restart_on.size(); ++k)
      check(i, r.restart_on[k], ".restartOn[" + std::to_string(k) + "]");
  }
}

using graph = std::vector<std::vector<index>>;

/// The strongly connected component of each node (Tarjan, without recursion).
std::vector<index> components(const graph& edges) {
  struct visit {
    index node;
    index next = 0;
  };
  const auto size = edges.size();
  std::vector<index> order(size, none);
  std::vector<index> low(size, 0);
  std::vector<index> component(size, none);
  std::vector<index> open;
  std::vector<visit> path;
  index clock = 0;
  for (index root = 0; root < size; ++root) {
    if (order[root] != none)
      continue;
    path.push_back({root});
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next == 0) {
        order[node] = low[node] = clock++;
        open.push_back(node);
      }
      if (next < edges[node].size()) {
        const auto to = edges[node][next++];
        if (order[to] == none)
          path.push_back({to});
        else if (component[to] == none)
          low[node] = std::min(low[node], order[to]);
        continue;
      }
      const auto done = node;
      path.pop_back();
      if (!path.empty())
        low[path.back().node] = std::min(low[path.back().node], low[done]);
      if (low[done] != order[done])
        continue;
      index member = none;
      do {
        member = open.back();
        open.pop_back();
        component[member] = done;
      } while (member != done);
    }
  }
  return component;
}

/// The shortest way from `start` back to itself; empty: there is none.
std::vector<index> cycle_from(index start, const graph& edges,
                              const std::vector<index>& component) {
  std::unordered_map<index, index> before;
  std::deque<index> queue{start};
  while (!queue.empty()) {
    const auto node = queue.front();
    queue.pop_front();
    for (const auto to : edges[node]) {
      if (component[to] != component[start])
        continue;
      if (to == start) {
        std::vector<index> way{start};
        for (auto at = node; at != start; at = before[at])
          way.push_back(at);
        std::reverse(way.begin() + 1, way.end());
        return way;
      }
      if (before.try_emplace(to, node).second)
        queue.push_back(to);
    }
  }
  return {};
}

/// `File/a -> File/b -> File/a`, at most ten long.
std::string cycle_text(const manifest& m, const std::vector<index>& way) {
  constexpr index limit = 10;
  std::string text;
  for (index i = 0; i < way.size() && i < limit; ++i)
    text += m.resources[way[i]].id.str() + " -> ";
  if (way.size() > limit)
    text += "(" + std::to_string(way.size() - limit) + " more) -> ";
  return text + m.resources[way.front()].id.str();
}

void find_cycles(const manifest& m, const lookup& known, std::vector<complaints>& parts) {
  graph edges(m.resources.size());
  for (const auto& [id, i] : known)
    for (const auto& other : m.resources[i].depends_on)
      if (const auto to = known.find(other.id); to != known.end())
        edges[i].push_back(to->second);
  const auto component = components(edges);
  std::vector<bool> told(edges.size(), false);
  for (index i = 0; i < edges.size(); ++i) {
    if (told[i])
      continue;
    const auto way = cycle_from(i, edges, component);
    for (const auto member : way) {
      if (!told[member])
        fault(parts, member, ".dependsOn", "leads back to itself: " + cycle_text(m, way),
              ec::dependency_cycle);
      told[member] = true;
    }
  }
}

} // namespace

void check_references(const manifest& m, std::vector<complaints>& parts) {
  const auto known = find_duplicates(m, parts);
  find_shared_targets(m, parts);
  check_known(m, known, parts);
  find_cycles(m, known, parts);
}

} // namespace harmony::detail
