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

std::vector<resource_id> known_ids(const dispatcher_state& s) {
  std::vector<resource_id> ids;
  ids.reserve(s.resources.size());
  for (const auto& [id, d] : s.resources)
    ids.push_back(id);
  return ids;
}

} // namespace harmony
