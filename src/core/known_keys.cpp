#include "core/known_keys.hpp"

#include <nlohmann/json.hpp>

namespace harmony {

namespace {

using nlohmann::json;

audit_event change(const char* event, const std::string& name, std::string result) {
  audit_event e;
  e.event = event;
  e.subject = name;
  e.via = "agent";
  e.result = std::move(result);
  return e;
}

} // namespace

known_keys keys_of(const trust_policy& policy) {
  known_keys result;
  if (policy.keys.empty())
    return result;
  for (const auto& each : policy.keys)
    result["pinned key " + each.name] = write_public_key(each);
  result["threshold"] = std::to_string(policy.threshold);
  result["key epoch"] = std::to_string(policy.epoch);
  return result;
}

std::vector<audit_event> key_changes(const std::optional<known_keys>& before,
                                     const known_keys& now) {
  std::vector<audit_event> events;
  const auto& known = before ? *before : known_keys{};
  for (const auto& [name, key] : now) {
    const auto was = known.find(name);
    if (was == known.end())
      events.push_back(change("trust-added", name, before ? key : key + " (first seen)"));
    else if (was->second != key)
      events.push_back(change("trust-changed", name, key + "; was " + was->second));
  }
  for (const auto& [name, key] : known)
    if (now.count(name) == 0)
      events.push_back(change("trust-removed", name, "was " + key));
  return events;
}

std::string write_known_keys(const known_keys& keys) {
  return json(keys).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<known_keys> read_known_keys(std::string_view text) {
  const auto j = json::parse(text, nullptr, false);
  if (!j.is_object())
    return {};
  known_keys result;
  for (const auto& [name, key] : j.items()) {
    if (!key.is_string())
      return {};
    result[name] = key.get<std::string>();
  }
  return result;
}

} // namespace harmony
