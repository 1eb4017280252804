#pragma once

#include <iosfwd>

#include "apps/agent/options.hpp"

namespace harmony {

/// How `harmony-agent enroll --token` ends. Scripts rely on the numbers: they never change.
enum class enroll_exit {
  ok = 0,
  failure = 1, ///< the server cannot be reached, a file cannot be written
  usage = 2,
  refused = 3, ///< the token is of no use: unknown, expired, revoked, used by another key
  denied = 4,  ///< an operator said no
  timeout = 5, ///< not let in yet: run it again to go on
};

/// Asks with a token to be let in, waits for an operator, and keeps the identity. Interrupted
/// anywhere, it goes on where it was when it is run again.
int enroll_by_token(const enroll_request& what, std::istream& in, std::ostream& out,
                    std::ostream& err);

} // namespace harmony
