#pragma once

#include <iosfwd>

#include "apps/agent/options.hpp"

namespace harmony {

/// Makes the device's key where there is none and prints its line for the operator: the id and the
/// public key. The secret never leaves the device. Gives the exit code.
int run_enroll(const enroll_request& what, std::ostream& out, std::ostream& err);

} // namespace harmony
