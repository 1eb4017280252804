#pragma once

#include <chrono>
#include <stop_token>

#include "failover/member.hpp"
#include "model/outcome.hpp"

namespace harmony::postgres {

/// Where a member's data come from.
enum class origin {
  bootstrap, ///< a new cluster: made with initdb where there are none
  adopt,     ///< they are there
  join,      ///< there may be none yet: they are cloned from the primary
};

/// Makes sure that a member can be run on its data directory, which it makes where it is missing
/// (with the owner of the folder around it; root's: postgres). To be called at each start of the
/// agent, before the `member` is opened; data that are there are left as they are. Takes
/// milliseconds, an initdb some seconds.
///
/// Fails with a sentence that says what is wrong and what to do: invalid_spec (a parameter that
/// the protocol owns, an impossible name, no data directory, another version than the programs'),
/// permission_denied (owner, mode), capability_missing (no programs, no libpq5), disk_full,
/// timed_out, canceled, io_error.
outcome<> prepare(const failover::member_settings& settings, origin from,
                  const std::stop_token& cancel = {},
                  std::chrono::milliseconds limit = std::chrono::seconds{60});

} // namespace harmony::postgres
