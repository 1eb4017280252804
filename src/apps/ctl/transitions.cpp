#include "apps/ctl/transitions.hpp"

#include "apps/ctl/view.hpp"

namespace harmony::ctl {

std::vector<transition> transitions(const std::optional<agent_status>& before,
                                    const agent_status& after) {
  std::vector<transition> found;
  const auto generation = after.observed_generation;
  if (!before || before->phase != after.phase
      || before->observed_generation != after.observed_generation)
    found.push_back({after.agent, "", before ? std::string{name_of(before->phase)} : "",
                     std::string{name_of(after.phase)}, generation, "", ""});
  for (const auto& [id, now] : after.resources) {
    const resource_status* old = nullptr;
    if (before)
      if (const auto at = before->resources.find(id); at != before->resources.end())
        old = &at->second;
    if (old != nullptr && old->phase == now.phase && old->reason == now.reason
        && old->applied_revision == now.applied_revision)
      continue;
    found.push_back({after.agent, id.str(), old != nullptr ? std::string{name_of(old->phase)} : "",
                     std::string{name_of(now.phase)}, generation, now.reason, now.message});
  }
  if (before)
    for (const auto& [id, old] : before->resources)
      if (after.resources.count(id) == 0)
        found.push_back(
          {after.agent, id.str(), std::string{name_of(old.phase)}, "Gone", generation, "", ""});
  return found;
}

std::string render(const transition& t, const std::string& time, bool colour) {
  auto line = coloured(time, tone::faint, colour) + "  " + printable(t.agent) + "  ";
  if (!t.subject.empty())
    line += printable(t.subject) + "  ";
  if (!t.from.empty())
    line += printable(t.from) + " -> ";
  line += coloured(printable(t.to), tone_of(t.to), colour);
  if (t.subject.empty() && t.generation != 0)
    line += "  (generation " + std::to_string(t.generation) + ")";
  if (!t.reason.empty())
    line += "  " + printable(t.reason);
  if (!t.message.empty())
    line += ": " + printable(t.message);
  return line;
}

json to_value(const transition& t, const std::string& time) {
  json value{{"time", time}, {"agent", t.agent}};
  if (!t.subject.empty())
    value["resource"] = t.subject;
  value["from"] = t.from;
  value["to"] = t.to;
  value["observedGeneration"] = t.generation;
  if (!t.reason.empty())
    value["reason"] = t.reason;
  if (!t.message.empty())
    value["message"] = t.message;
  return value;
}

} // namespace harmony::ctl
