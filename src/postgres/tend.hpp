#pragma once

#include <string>
#include <vector>

#include "failover/member.hpp"
#include "postgres/session.hpp"

namespace harmony::postgres {

/// What is to be asked so that a server has the slots that it ought to: of a primary one for each
/// other member, of a standby none. One that lost its log is made anew. `there` is as in `answers`.
std::vector<std::string> slot_orders(const failover::member_settings& s, bool in_recovery,
                                     const std::vector<std::string>& there);

/// What is to be asked of a primary so that the replication user is there, with its password, and
/// may do what pg_rewind does. `verifier`: what the server keeps of the password; empty: none.
std::vector<std::string> role_orders(const failover::member_settings& s,
                                     const std::string& verifier);

/// 'text', as a literal.
std::string quoted(std::string_view text);

} // namespace harmony::postgres
