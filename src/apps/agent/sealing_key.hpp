#pragma once

#include <iosfwd>

#include "apps/agent/options.hpp"

namespace harmony {

/// Prints the public key that secrets for this device are sealed to on `out`, and its fingerprint
/// on `err`; makes the key where there is none. Gives the exit code: 0 or 1.
int show_sealing_key(const key_request& what, std::ostream& out, std::ostream& err);

} // namespace harmony
