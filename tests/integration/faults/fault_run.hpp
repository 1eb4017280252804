#pragma once

#include <map>
#include <string>
#include <vector>

#include "scenario.hpp"

namespace harmony::test {

/// One cell of the matrix.
struct fault_case {
  std::string point;
  unsigned hit = 1;
  std::string kind; ///< "kill", "error", "hang"
};

struct fault_verdict {
  bool fired = false;
  std::vector<std::string> violations; ///< none: it is as it must be
  double seconds = 0;
};

/// Runs a real agent through the scenario, with the fault; starts it again when it was killed, as
/// systemd would.
fault_verdict run_with(const scenario_kind& scene, const fault_case& what);

/// The same without a fault: how often each point is reached. Throws std::runtime_error where that
/// run violates something.
std::map<std::string, unsigned> count_hits(const scenario_kind& scene);

} // namespace harmony::test
