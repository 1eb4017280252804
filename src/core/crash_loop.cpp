#include "core/crash_loop.hpp"

#include <algorithm>
#include <map>

namespace harmony {

namespace {

constexpr std::size_t named_suspects = 3;

/// How often each resource was under way, at most once a crash.
std::map<resource_id, std::size_t> counts_of(const crash_history& h, bool acting) {
  std::map<resource_id, std::size_t> counts;
  for (const auto& crash : h.crashes) {
    std::map<resource_id, bool> seen;
    for (const auto& each : crash.under_way)
      if (each.acting == acting && seen.emplace(each.id, true).second)
        ++counts[each.id];
  }
  return counts;
}

std::vector<resource_id> frequent(const crash_history& h, bool acting) {
  const auto counts = counts_of(h, acting);
  std::vector<resource_id> result;
  for (const auto& [id, count] : counts)
    if (2 * count >= h.crashes.size())
      result.push_back(id);
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto& a, const auto& b) { return counts.at(a) > counts.at(b); });
  return result;
}

std::string listed(const std::vector<resource_id>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), named_suspects); ++i)
    text += (i == 0 ? "" : ", ") + ids[i].str();
  if (ids.size() > named_suspects)
    text += " and " + std::to_string(ids.size() - named_suspects) + " more";
  return text;
}

} // namespace

crash_history after_crash(crash_history before, crash_record crash, const crash_loop_policy& p) {
  auto& all = before.crashes;
  if (!all.empty() && all.back().on != crash.on)
    before = {};
  if (!before.tripped)
    std::erase_if(all, [&](const crash_record& c) { return crash.at - c.at > p.within; });
  all.push_back(std::move(crash));
  if (all.size() > p.most)
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(p.most));
  before.tripped = before.tripped || all.size() >= p.most;
  return before;
}

std::vector<resource_id> suspects(const crash_history& h) {
  auto acting = frequent(h, true);
  return acting.empty() ? frequent(h, false) : acting;
}

std::string why_held_back(const crash_history& h, const crash_loop_policy& p) {
  if (!h.tripped || h.crashes.empty())
    return {};
  const auto guilty = suspects(h);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(p.try_after).count();
  return "the agent crashed " + std::to_string(h.crashes.size()) + " times in a row at generation "
         + std::to_string(h.crashes.back().on.generation) + "; "
         + (guilty.empty() ? std::string{"no one resource was at work each time"}
                           : "suspected: " + listed(guilty) + ", at work when it crashed")
         + ". What runs is left as it is and nothing is applied before a newer generation comes; "
           "this one is tried once more after "
         + std::to_string(minutes) + " min, or now by a restart of the agent";
}

} // namespace harmony
