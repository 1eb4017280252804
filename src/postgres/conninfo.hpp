#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "failover/member.hpp"

namespace harmony::postgres {

/// Keywords and values of a connection, in order.
using conninfo = std::vector<std::pair<std::string, std::string>>;

/// As libpq takes it: "host='10.0.0.1' port='5432'".
std::string write_conninfo(const conninfo& parameters);
/// What can be read of such a text; later ones win. Empty where it is none.
std::map<std::string, std::string> read_conninfo(std::string_view text);

/// How a member is reached. `name` stands for the one who asks: a standby that streams under a
/// member's name counts as synchronous.
conninfo reach(const failover::member_settings& s, const failover::member_address& whom,
               std::string_view name);
/// For what copies, and asks for it: no member can have the name, and no look tells of it.
inline constexpr std::string_view clone_name = "harmony clone";

/// The member that a primary_conninfo names; empty: nobody; "host:port" of somebody who is none.
std::string upstream_of(std::string_view primary_conninfo,
                        const std::vector<failover::member_address>& members);

/// Nothing where there is no such member.
const failover::member_address* find_member(const failover::member_settings& s,
                                            std::string_view node);

/// The replication slot of a member at its primary. No other slot has the prefix.
inline constexpr std::string_view slot_prefix = "harmony_";
std::string slot_of(std::string_view node);

} // namespace harmony::postgres
