#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "failover/member.hpp"
#include "model/outcome.hpp"

namespace harmony::postgres {

/// What a member is to run on.
struct preparation {
  /// Where there are no data, a new cluster is made with initdb; else they are cloned later from
  /// the primary, and only an empty folder is made. Data that are there are left as they are.
  bool bootstrap = false;
  std::string owner = "postgres"; ///< account that PostgreSQL runs as, and its superuser's name
  std::string version;            ///< major; empty: that of the data, else the newest installed
};

/// Makes sure that a member can be run on its data directory, which it makes where it is missing.
/// To be called before the `member` is opened; idempotent. Takes milliseconds, an initdb seconds.
///
/// Fails with a sentence that says what is wrong and what to do: invalid_spec (a parameter that
/// the protocol owns, an impossible name, no data directory, another version than was asked for or
/// than the programs'), no_such_user, permission_denied (owner, mode), capability_missing (no
/// programs, no libpq5), disk_full, timed_out, canceled, io_error.
outcome<> prepare(const failover::member_settings& settings, const preparation& how,
                  const std::stop_token& cancel = {},
                  std::chrono::milliseconds limit = std::chrono::seconds{60});

} // namespace harmony::postgres
