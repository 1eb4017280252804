#pragma once

#include <cstddef>
#include <string>

#include "model/status.hpp"

namespace harmony {

/// How far a status can be shortened; 0 is the whole document.
inline constexpr unsigned shortest = 4;

/// The status with less and less of it, for a store that takes no more. What is left out is what
/// can be looked up on the device; phases and reasons always stay. Every level but 0 says so in the
/// condition `StatusShortened`.
///
/// Left out, each level more than the one before: 1 output of jobs; 2 observed states; 3 all but
/// the beginning of messages; 4 revisions, origins, times and counts.
agent_status shortened(agent_status s, unsigned level, timestamp now);

} // namespace harmony
