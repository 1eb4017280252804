#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "apps/ctl/session.hpp"

namespace harmony::ctl {

/// Whether a condition holds, and if not, what is in its way.
struct wait_verdict {
  bool met = false;
  std::vector<std::string> blockers; ///< one line each, for a person; empty when met
  std::string progress;              ///< "Converging, 2 of 3 resources ready"
};

/// Judges a condition by what the store knows. Pure.
wait_verdict judge(const wait_condition& condition, const agent_record& record);

/// "converged", "generation 7", "phase Degraded".
std::string describe(const wait_condition& condition);

struct wait_request {
  std::string agent;
  wait_condition condition;
  std::chrono::steady_clock::time_point end;
  std::stop_token stop;
  std::function<void(const wait_verdict&)> on_progress; ///< after each reading; may be empty
};

/// Waits, woken by the store, until the condition holds; gives the record that met it. A Degraded
/// or Rejected agent is waited for like any other, because it retries. Fails with timed_out and the
/// blockers, with canceled when stopped, with not_found when the store knows no such agent.
outcome<agent_record> wait_for(store& from, const wait_request& request);

} // namespace harmony::ctl
