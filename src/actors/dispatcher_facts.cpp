#include "actors/dispatcher_facts.hpp"

#include <algorithm>

#include "core/diff.hpp"

namespace harmony {

ev::dependencies needs_of(const dispatcher_state& s, const resource_id& id) {
  ev::dependencies needs;
  for (const auto& each : s.graph.prerequisites(id)) {
    const auto it = s.resources.find(each.id);
    if (it != s.resources.end() && it->second.has_reached(each.condition))
      continue;
    needs.ready = false;
    needs.waiting_for += (needs.waiting_for.empty() ? "" : ", ") + each.id.str();
  }
  return needs;
}

std::shared_ptr<expectation> expected_of(const manifest& m) {
  auto result = std::make_shared<expectation>();
  result->generation = m.metadata.generation;
  for (const auto& r : m.resources)
    result->desires.emplace(r.id, desire_of(m, r));
  for (const auto& r : m.rejected)
    result->desires.emplace(r.id, std::string{});
  return result;
}

void connect_neighbours(dispatcher_state& s) {
  for (const auto& [id, d] : s.resources)
    for (const auto& other : d.after)
      s.neighbours.connect(id, other);
}

bool is_held(dispatcher_state& s, const resource_id& id) {
  return std::any_of(s.fetching.begin(), s.fetching.end(),
                     [&](const auto& each) { return s.neighbours.connected(each.second, id); });
}

std::vector<const resource*> new_desires(const dispatcher_state& s, const expectation& expected) {
  std::vector<const resource*> result;
  for (const auto& r : s.current->resources) {
    const auto it = s.resources.find(r.id);
    if (it == s.resources.end() || it->second.told != expected.desires.at(r.id))
      result.push_back(&r);
  }
  return result;
}

bool comes_after(const dispatcher_state& s, const resource_id& from, const resource_id& to) {
  std::set<resource_id> met{from};
  std::vector<resource_id> open{from};
  while (!open.empty()) {
    const auto it = s.resources.find(open.back());
    open.pop_back();
    if (it == s.resources.end())
      continue;
    for (const auto& each : it->second.after) {
      if (each == to)
        return true;
      if (met.insert(each).second)
        open.push_back(each);
    }
  }
  return false;
}

std::set<resource_id> folders_in_use(const dispatcher_state& s) {
  std::map<std::string, resource_id> folders;
  for (const auto& [id, d] : s.resources)
    if (d.leaving && !d.removal_sent && id.kind == "Directory")
      folders.emplace(d.target, id);
  std::set<resource_id> result;
  if (folders.empty())
    return result;
  for (const auto& t : s.config.services->owned->all()) {
    const auto owner = s.resources.find(t.owner);
    if (owner == s.resources.end() || (!owner->second.leaving && owner->second.target == t.target))
      continue;
    for (const auto& [path, folder] : folders)
      if (lies_below(t.target, path) && !comes_after(s, folder, t.owner))
        result.insert(folder);
  }
  return result;
}

std::vector<resource_id> known_ids(const dispatcher_state& s) {
  std::vector<resource_id> ids;
  ids.reserve(s.resources.size());
  for (const auto& [id, d] : s.resources)
    ids.push_back(id);
  return ids;
}

} // namespace harmony
