#include "core/failover/sync_plan.hpp"

#include <algorithm>
#include <iterator>

namespace harmony::failover {

namespace {

using names = std::vector<std::string>;

bool has(const names& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

names sorted(names all) {
  std::sort(all.begin(), all.end());
  return all;
}

names both(const names& a, const names& b) {
  names out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

names attached_names(const sync_view& v) {
  names out;
  for (const auto& s : v.standbys)
    out.push_back(s.node);
  return sorted(std::move(out));
}

/// The set that there should be. Where too few standbys are attached it stays: writes wait.
names wanted(const sync_view& v) {
  auto there = attached_names(v);
  if (there.size() < v.count)
    return v.recorded.members;
  if (v.mode == sync_mode::quorum)
    return there;
  names out;
  for (const auto& each : v.recorded.members)
    if (has(there, each) && out.size() < v.count)
      out.push_back(each);
  for (const auto& each : there)
    if (!has(out, each) && out.size() < v.count)
      out.push_back(each);
  return sorted(std::move(out));
}

bool all_have(const sync_view& v, const names& who, lsn at) {
  return std::all_of(who.begin(), who.end(), [&](const auto& node) {
    return std::any_of(v.standbys.begin(), v.standbys.end(),
                       [&](const auto& s) { return s.node == node && s.flushed >= at; });
  });
}

} // namespace

sync_step plan_sync(const sync_view& v, std::optional<sync_change> change) {
  if (v.mode == sync_mode::async) {
    const sync_set none;
    if (v.recorded != none)
      return {{}, {}, none}; // the names follow once nobody can be elected by the set before
    if (v.in_effect != none && v.sure)
      return {{}, none, {}};
    return {};
  }
  const auto want = wanted(v);
  if (want == v.recorded.members && v.recorded.k == v.count) {
    const sync_names settled{v.count, want};
    // While an older write may still come to be, both sets must acknowledge: names stay.
    if (v.sure && v.in_effect != settled)
      return {{}, settled, {}};
    return {};
  }
  if (!change || change->wanted != want)
    change = sync_change{want, {}};
  const auto every = both(v.recorded.members, both(want, change->wanted));
  const sync_names joint{static_cast<std::uint32_t>(every.size()), every};
  if (v.in_effect != joint)
    return {sync_change{want, {}},
            v.sure || v.in_effect.members.empty() ? std::optional{joint} : std::nullopt,
            {}};
  if (!change->barrier)
    change->barrier = v.flushed;
  if (!all_have(v, want, *change->barrier))
    return {change, {}, {}};
  return {change, {}, sync_set{v.count, want}};
}

} // namespace harmony::failover
