#include "core/explain.hpp"

#include <algorithm>
#include <set>

#include "core/age.hpp"
#include "core/graph.hpp"

namespace harmony {

namespace {

std::string phase_text(const resource_status& r) {
  return std::string{name_of(r.phase)} + (r.reason.empty() ? "" : ", " + r.reason);
}

const resource_status* find(const agent_status& status, const resource_id& id) {
  const auto it = status.resources.find(id);
  return it == status.resources.end() ? nullptr : &it->second;
}

const resource* find(const manifest* desired, const resource_id& id) {
  if (desired == nullptr)
    return nullptr;
  for (const auto& r : desired->resources)
    if (r.id == id)
      return &r;
  return nullptr;
}

/// What `id` waits for, and what that waits for, to the end of each chain.
void tell_waits(const agent_status& status, const resource_graph& graph, const resource_id& id,
                std::set<resource_id>& told, std::vector<std::string>& lines) {
  for (const auto& need : graph.prerequisites(id)) {
    const auto* r = find(status, need.id);
    if ((r != nullptr && reached(r->phase, need.condition)) || !told.insert(need.id).second)
      continue;
    lines.push_back("it waits for " + need.id.str() + " to be "
                    + std::string{name_of(need.condition)} + ", which is "
                    + (r == nullptr ? std::string{"not reported yet"} : phase_text(*r))
                    + (r == nullptr || r->message.empty() ? "" : ": " + r->message));
    if (r != nullptr && r->phase == resource_phase::blocked)
      tell_waits(status, graph, need.id, told, lines);
  }
}

std::string tries_text(const resource_status& r) {
  std::string text;
  if (r.attempts > 0)
    text = "it was changed " + std::to_string(r.attempts) + (r.attempts == 1 ? " time" : " times")
           + " since it was declared so";
  if (r.restarts > 0)
    text += (text.empty() ? "it was" : ", and") + std::string{" repaired "}
            + std::to_string(r.restarts) + (r.restarts == 1 ? " time" : " times");
  return text;
}

std::string next_text(const resource_status& r, timestamp now) {
  if (r.next_retry)
    return *r.next_retry > now ? "it is tried again in " + format_age(*r.next_retry - now) + ", at "
                                   + format_time(*r.next_retry)
                               : "it is due to be tried again";
  if (r.reason == "SafeMode")
    return "nothing before the agent leaves safe mode; what runs is left as it is";
  switch (r.phase) {
  case resource_phase::ready: return "nothing: it is watched, and repaired when it differs";
  case resource_phase::rejected:
    return "nothing before a manifest comes that corrects it; what is on the device stays";
  case resource_phase::blocked: return "it goes on as soon as that is so";
  case resource_phase::probing: return "it is ready as soon as its probes pass";
  case resource_phase::removed: return "nothing";
  default: return "the operation under way ends, or is given up at its deadline";
  }
}

std::string since_text(const resource_status& r, timestamp now) {
  return r.last_transition ? " for " + format_age(now - *r.last_transition) : "";
}

explanation explain(const agent_status& status, const resource_id& id, const resource_status& r,
                    const manifest* desired, timestamp now) {
  explanation e{id.str(),
                std::string{name_of(r.phase)},
                std::string{name_of(r.phase)} + since_text(r, now)
                  + (r.reason.empty() ? "" : ": " + r.reason),
                {},
                next_text(r, now)};
  if (!r.message.empty() && (r.phase != resource_phase::blocked || desired == nullptr))
    e.because.push_back(r.message);
  if (r.phase == resource_phase::blocked && desired != nullptr) {
    std::set<resource_id> told{id};
    tell_waits(status, resource_graph{*desired}, id, told, e.because);
  }
  const auto* wanted = find(desired, id);
  if (wanted != nullptr && !r.revision.empty() && wanted->revision != r.revision
      && r.phase != resource_phase::rejected)
    e.because.emplace_back("a newer declaration of it was not taken up yet");
  if (r.hold)
    e.because.push_back("it is held until " + format_time(r.hold->until) + " ("
                        + format_age(r.hold->until - now) + "): nothing is changed on the device"
                        + (r.hold->reason.empty() ? "" : "; " + r.hold->reason));
  if (r.phase != resource_phase::ready && !r.applied_revision.empty()
      && r.applied_revision != r.revision)
    e.because.emplace_back("an older declaration of it is in place");
  if (auto tries = tries_text(r); !tries.empty())
    e.because.push_back(std::move(tries));
  if (!r.origin.empty())
    e.because.push_back("it comes from " + r.origin);
  return e;
}

} // namespace

bool is_wrong(const condition& c) {
  const bool good_when_true = c.type == "Ready" || c.type == "ManifestAccepted"
                              || c.type == "Progressing" || c.type == "StoreConnected"
                              || c.type == "ManifestVerified";
  if (c.reason == "NoPinnedKeys") // a choice of the device's owner
    return false;
  return good_when_true ? c.status == condition_state::false_ : c.status == condition_state::true_;
}

explanation explain_resource(const agent_status& status, const resource_id& id,
                             const manifest* desired, timestamp now) {
  if (const auto* r = find(status, id))
    return explain(status, id, *r, desired, now);
  if (find(desired, id) != nullptr)
    return {id.str(),
            "Unreported",
            "Unreported",
            {"it is in the newest manifest, and the agent's status does not name it yet"},
            "the agent takes the manifest up when it next reads it"};
  return {id.str(),
          "Unknown",
          "Unknown",
          {"neither the newest manifest nor the agent's status names it"},
          "nothing"};
}

std::vector<explanation> explain_agent(const agent_status& status, const manifest* desired,
                                       timestamp now) {
  explanation self{status.agent,
                   std::string{name_of(status.phase)},
                   std::string{name_of(status.phase)} + " at generation "
                     + std::to_string(status.observed_generation),
                   {},
                   ""};
  for (const auto& c : status.conditions)
    if (is_wrong(c))
      self.because.push_back(c.type + " is "
                             + (c.status == condition_state::true_ ? "true" : "false") + " for "
                             + format_age(now - c.last_transition) + ": " + c.reason
                             + (c.message.empty() ? "" : ": " + c.message));
  if (desired != nullptr && desired->metadata.generation > status.observed_generation)
    self.because.push_back("generation " + std::to_string(desired->metadata.generation)
                           + " is in the store and not in force");
  std::vector<explanation> waiting;
  std::vector<explanation> result;
  for (const auto& [id, r] : status.resources)
    if (r.phase != resource_phase::ready || r.hold)
      (r.phase == resource_phase::blocked ? waiting : result)
        .push_back(explain(status, id, r, desired, now));
  const auto open = static_cast<std::size_t>(
    std::count_if(status.resources.begin(), status.resources.end(),
                  [](const auto& each) { return each.second.phase != resource_phase::ready; }));
  self.next = open == 0 ? "nothing: " + std::to_string(status.resources.size())
                            + " resources are ready, watched, and repaired when they differ"
                        : std::to_string(open) + " of " + std::to_string(status.resources.size())
                            + " resources are not ready:";
  result.insert(result.begin(), std::move(self));
  result.insert(result.end(), waiting.begin(), waiting.end());
  return result;
}

std::string text_of(const std::vector<explanation>& all) {
  std::string text;
  for (const auto& e : all) {
    text += (text.empty() ? "" : "\n") + e.subject + ": " + e.headline + "\n";
    for (const auto& line : e.because)
      text += "  because  " + line + "\n";
    if (!e.next.empty())
      text += "  next     " + e.next + "\n";
  }
  return text;
}

} // namespace harmony
