#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "core/audit_chain.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// What `harmony-agent audit` was asked for.
struct audit_request {
  enum class action { verify, show };

  action what = action::verify;
  std::string state_dir;
  std::string file;                 ///< empty: that of the state folder
  std::optional<audit_mark> anchor; ///< of verify: what the log must hold
  std::size_t lines = 20;           ///< of show: the newest; 0: all
  bool as_json = false;
};

/// What looking at the chain comes to. Fails as reading does; not_found where there is none.
outcome<audit_verdict> verify_audit(const audit_request& what);

/// Prints what was asked for and gives the exit code: 0, also for a log that is intact; 1 for one
/// that is not; 3 where there is none that can be read.
int run_audit(const audit_request& what, std::ostream& out, std::ostream& err);

} // namespace harmony
