#include "actors/manifest_memory.hpp"

namespace harmony {

namespace {

std::optional<admission_accepted> recalled(const accepted_manifest& record,
                                           const admission_terms& terms) {
  auto judged = admit_again(record.document, terms);
  auto* accepted = std::get_if<admission_accepted>(&judged);
  return accepted != nullptr ? std::optional{std::move(*accepted)} : std::nullopt;
}

} // namespace

std::optional<admission_accepted> last_converged(const state_store& memory,
                                                 const admission_terms& terms) {
  const auto history = memory.history();
  if (!history)
    return {};
  for (const auto& each : *history)
    if (each.ending == generation_ending::converged)
      return recalled(each, terms);
  return {};
}

std::set<resource_id> retained_leftovers(const state_store& memory, const admission_terms& terms,
                                         const manifest& next) {
  std::set<resource_id> left;
  for (const auto& t : memory.all())
    left.insert(t.owner);
  for (const auto& r : next.resources)
    left.erase(r.id);
  std::set<resource_id> retained;
  if (left.empty())
    return retained;
  const auto history = memory.history();
  if (!history)
    return retained;
  bool unread = false;
  for (const auto& each : *history) {
    const auto former = recalled(each, terms);
    unread = unread || !former;
    if (former)
      for (const auto& r : former->value.resources)
        if (left.erase(r.id) != 0 && r.on_remove == removal_policy::retain)
          retained.insert(r.id);
  }
  if (unread)
    retained.merge(left);
  return retained;
}

} // namespace harmony
