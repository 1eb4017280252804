#pragma once

// The parts of `check`; for policy*.cpp alone.

#include "core/policy.hpp"

namespace harmony::policy_rules {

/// Nothing where the rule is not set, or one of its values satisfies `fits`.
template <class Fits>
std::optional<refusal> listed(const std::optional<policy_list>& rule, const char* name,
                              const std::string& what, const Fits& fits) {
  if (!rule)
    return {};
  for (const auto& value : rule->values)
    if (fits(value))
      return {};
  return refusal{name, rule->line, what};
}

/// The same for a value that must be listed as it stands.
std::optional<refusal> listed(const std::optional<policy_list>& rule, const char* name,
                              const std::string& value, const std::string& what);

/// The rules for what a SystemdUnit is called and, where the manifest brings it, what its file
/// says.
std::optional<refusal> check_unit(const device_policy& p, const agent_own& own,
                                  const systemd_unit_spec& spec);

} // namespace harmony::policy_rules
