#pragma once

#include <iosfwd>

#include "apps/agent/options.hpp"

namespace harmony {

/// Without a token: makes the device's key where there is none and prints its line for the
/// operator, the id and the public key. With one: asks to be let in, and waits. The secret never
/// leaves the device. Gives the exit code.
int run_enroll(const enroll_request& what, std::istream& in, std::ostream& out, std::ostream& err);

} // namespace harmony
