#pragma once

#include <string>

#include "core/policy.hpp"

namespace harmony {

/// The [policy] of a configuration file; the default one where it has none. Fails with
/// invalid_document or invalid_spec; the message names file and line.
outcome<device_policy> read_policy(const std::string& path);

} // namespace harmony
