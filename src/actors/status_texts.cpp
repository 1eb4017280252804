#include "actors/status_texts.hpp"

#include <algorithm>

namespace harmony {

namespace {

std::string count_of(std::size_t n) {
  return std::to_string(n) + (n == 1 ? " resource" : " resources");
}

} // namespace

condition ready_condition(const status_aggregator_state& s) {
  condition c{"Ready", condition_state::false_, {},
              {},      s.config.wall_clock(),   s.document.observed_generation};
  if (s.safe_mode) {
    c.reason = "SafeMode";
    c.message = "nothing is looked at or applied";
    return c;
  }
  std::string names;
  std::size_t waiting = 0;
  for (const auto& [id, r] : s.standings) {
    if (r.standing.current && r.standing.phase == resource_phase::ready)
      continue;
    if (++waiting <= 3)
      names += (names.empty() ? "" : ", ") + id.str();
  }
  switch (s.document.phase) {
  case agent_phase::starting:
    c.reason = "NoManifest";
    c.message = "no manifest was accepted yet";
    return c;
  case agent_phase::converged:
    c.status = condition_state::true_;
    c.reason = "AllResourcesReady";
    c.message = count_of(s.standings.size()) + " ready";
    return c;
  default:
    c.reason = waiting == 0 ? "AllResourcesReady" : "ResourcesNotReady";
    c.status = waiting == 0 ? condition_state::true_ : condition_state::false_;
    c.message = waiting == 0
                  ? count_of(s.standings.size()) + " ready"
                  : count_of(waiting) + " not ready: " + names + (waiting > 3 ? ", …" : "");
    return c;
  }
}

bool is_ready(const resource_standing& s) {
  return s.current && s.phase == resource_phase::ready;
}

std::string laggards(const status_aggregator_state& s) {
  std::string text;
  std::size_t count = 0;
  for (const auto& [id, known] : s.standings) {
    if (is_ready(known.standing)
        || (known.standing.current && known.standing.phase == resource_phase::rejected))
      continue;
    if (++count > 3)
      continue;
    const auto& r = s.document.resources.at(id);
    text += (text.empty() ? "" : "; ") + id.str() + " is " + std::string{name_of(r.phase)}
            + (r.reason.empty() ? "" : ", " + r.reason)
            + (r.message.empty() ? "" : ": " + r.message);
  }
  return count > 3 ? text + "; and " + std::to_string(count - 3) + " more" : text;
}

void set(status_aggregator_state& s, std::string type, bool holds, std::string reason,
         std::string message) {
  set_condition(s.document.conditions,
                {std::move(type), holds ? condition_state::true_ : condition_state::false_,
                 std::move(reason), std::move(message), s.config.wall_clock(),
                 s.document.observed_generation});
}

void tell_holds(status_aggregator_state& s) {
  std::size_t held = 0;
  timestamp until;
  for (const auto& [id, r] : s.document.resources)
    if (r.hold) {
      ++held;
      until = std::max(until, r.hold->until);
    }
  if (held > 0)
    set(s, "Held", true, "HeldByOperator",
        count_of(held) + (held == 1 ? " is" : " are") + " held, at the latest until "
          + format_time(until));
  else if (std::any_of(s.document.conditions.begin(), s.document.conditions.end(),
                       [](const condition& c) { return c.type == "Held"; }))
    set(s, "Held", false, "NotHeld", {});
}

} // namespace harmony
