#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/printer.hpp"
#include "model/status.hpp"

namespace harmony::ctl {

/// One change of what is known about an agent.
struct transition {
  std::string agent;
  std::string subject; ///< "Kind/name"; empty: the agent itself
  std::string from;    ///< phase before; empty: not known before
  std::string to;      ///< phase now; "Gone": not in the status any more
  generation_number generation = 0;
  std::string reason;
  std::string message;

  friend bool operator==(const transition&, const transition&) = default;
};

/// What changed between two statuses of one agent, the agent's own change first. A resource also
/// counts as changed when its reason did, or its revision came into place.
std::vector<transition> transitions(const std::optional<agent_status>& before,
                                    const agent_status& after);

/// "Ready -> Failed  UnitFailed: exit status 1": one line, without its line break.
std::string render(const transition& t, const std::string& time, bool colour);

json to_value(const transition& t, const std::string& time);

} // namespace harmony::ctl
