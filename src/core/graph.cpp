#include "core/graph.hpp"

#include <algorithm>
#include <unordered_set>

namespace harmony {

namespace {

const std::vector<resource_id> none;
const std::vector<dependency> no_dependencies;

std::string_view path_of(const resource& r) {
  if (const auto* file = std::get_if<file_spec>(&r.spec))
    return file->path;
  if (const auto* folder = std::get_if<directory_spec>(&r.spec))
    return folder->path;
  if (const auto* member = std::get_if<postgres_cluster_spec>(&r.spec))
    return member->data_dir;
  return {};
}

/// The account that it needs.
std::string_view user_of(const resource& r) {
  if (const auto* file = std::get_if<file_spec>(&r.spec))
    return file->owner;
  if (const auto* folder = std::get_if<directory_spec>(&r.spec))
    return folder->owner;
  if (const auto* job = std::get_if<shell_job_spec>(&r.spec))
    return job->user;
  if (const auto* member = std::get_if<postgres_cluster_spec>(&r.spec))
    return member->owner;
  return {};
}

bool has(const std::vector<dependency>& list, const resource_id& id) {
  return std::any_of(list.begin(), list.end(), [&](const dependency& d) { return d.id == id; });
}

/// The managed folders by path.
using folder_index = std::unordered_map<std::string_view, const resource*>;

const resource* nearest_folder(const folder_index& folders, std::string_view path) {
  while (path.size() > 1) {
    path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    if (const auto it = folders.find(path); it != folders.end())
      return it->second;
  }
  return nullptr;
}

} // namespace

bool lies_below(std::string_view path, std::string_view parent) noexcept {
  if (parent == "/")
    return path.size() > 1;
  return path.size() > parent.size() && path.substr(0, parent.size()) == parent
         && path[parent.size()] == '/';
}

resource_graph::resource_graph(const manifest& m) {
  folder_index folders;
  std::unordered_map<std::string_view, const resource*> users;
  for (const auto& r : m.resources)
    before_[r.id] = r.depends_on;
  for (const auto& r : m.resources) {
    auto& list = before_[r.id];
    for (const auto& id : r.restart_on)
      if (before_.count(id) != 0 && !has(list, id))
        list.push_back({id});
    if (std::holds_alternative<directory_spec>(r.spec))
      folders.emplace(path_of(r), &r);
    if (const auto* user = std::get_if<user_spec>(&r.spec))
      users.emplace(user->user, &r);
  }
  // One by one, each against the graph so far: together they can close no cycle either.
  const auto imply = [this](const resource& r, const resource* other) {
    if (other != nullptr && !has(before_[r.id], other->id) && !leads_to(other->id, r.id))
      before_[r.id].push_back({other->id});
  };
  for (const auto& r : m.resources) {
    imply(r, nearest_folder(folders, path_of(r)));
    const auto user = users.find(user_of(r));
    imply(r, user == users.end() ? nullptr : user->second);
  }
  for (const auto& [id, list] : before_)
    for (const auto& each : list)
      after_[each.id].push_back(id);
}

const std::vector<dependency>& resource_graph::prerequisites(const resource_id& id) const {
  const auto it = before_.find(id);
  return it == before_.end() ? no_dependencies : it->second;
}

const std::vector<resource_id>& resource_graph::dependents(const resource_id& id) const {
  const auto it = after_.find(id);
  return it == after_.end() ? none : it->second;
}

bool resource_graph::leads_to(const resource_id& from, const resource_id& to) const {
  std::vector<resource_id> stack{from};
  std::unordered_set<resource_id> seen;
  while (!stack.empty()) {
    const auto id = std::move(stack.back());
    stack.pop_back();
    if (id == to)
      return true;
    if (!seen.insert(id).second)
      continue;
    for (const auto& next : prerequisites(id))
      stack.push_back(next.id);
  }
  return false;
}

} // namespace harmony
