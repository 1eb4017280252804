#include "core/diff.hpp"

#include <unordered_map>
#include <unordered_set>

namespace harmony {

namespace {

using index = std::unordered_map<resource_id, const resource*>;

index index_of(const manifest* m) {
  index result;
  if (m != nullptr)
    for (const auto& r : m->resources)
      result.emplace(r.id, &r);
  return result;
}

std::string stamp(const index& all, const resource& r) {
  std::string text;
  for (const auto& id : r.restart_on)
    if (const auto it = all.find(id); it != all.end())
      text += id.str() + "=" + it->second->revision + "\n";
  return text.empty() ? text : sha256_hex(text);
}

std::string desire(const index& all, const resource& r) {
  const auto restart = stamp(all, r);
  return restart.empty() ? r.revision : r.revision + "+" + restart;
}

} // namespace

manifest_diff diff(const manifest* before, const manifest& after) {
  const auto old = index_of(before);
  const auto now = index_of(&after);
  std::unordered_set<resource_id> rejected;
  for (const auto& r : after.rejected)
    rejected.insert(r.id);

  manifest_diff result;
  for (const auto& r : after.resources) {
    const auto it = old.find(r.id);
    if (it == old.end())
      result.create.push_back(r.id);
    else if (desire(old, *it->second) != desire(now, r))
      result.update.push_back(r.id);
    else
      result.keep.push_back(r.id);
  }
  if (before != nullptr)
    for (const auto& r : before->resources) {
      if (rejected.count(r.id) != 0)
        result.keep.push_back(r.id);
      else if (now.count(r.id) == 0)
        result.remove.push_back(r.id);
    }
  return result;
}

std::string restart_stamp(const manifest& m, const resource& r) {
  return r.restart_on.empty() ? std::string{} : stamp(index_of(&m), r);
}

std::string desire_of(const manifest& m, const resource& r) {
  return r.restart_on.empty() ? r.revision : desire(index_of(&m), r);
}

} // namespace harmony
