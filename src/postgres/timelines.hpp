#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "postgres/data_files.hpp"

namespace harmony::postgres {

// PostgreSQL gives a promotion the number after the newest history file that it finds in a row. So
// the numbers between are taken by files without content, which lead to no timeline. A standby that
// streams later asks for each file in between, and gets them, too.
//
// Such a file must not be the newest where a server starts: it would look for that timeline.

/// What must be there so that a promotion from `current` begins `wanted`: the numbers to be taken.
/// Fails where `wanted` cannot be reached, or is more than 1000 away.
outcome<std::vector<std::uint32_t>> to_reserve(const std::vector<std::uint32_t>& there,
                                               std::uint32_t current, std::uint32_t wanted);

/// Takes them.
outcome<> reserve_timelines(const data_files& files, std::uint32_t current, std::uint32_t wanted);
/// Removes what was taken and led to no timeline.
outcome<> release_timelines(const data_files& files);

} // namespace harmony::postgres
