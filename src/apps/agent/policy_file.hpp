#pragma once

#include <string>
#include <string_view>

#include "core/policy.hpp"

namespace harmony {

/// The [policy] of a configuration file with the text `toml`; the default one where it has none.
/// Fails with invalid_document or invalid_spec; the message names file and line.
outcome<device_policy> read_policy(std::string_view toml, const std::string& path);

} // namespace harmony
