#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/failover/events.hpp"
#include "failover/member.hpp"
#include "model/outcome.hpp"

namespace harmony::postgres {

/// What of the configuration the orders change.
struct standing {
  std::string upstream; ///< a member; empty: it receives from nobody
  failover::sync_names names;

  friend bool operator==(const standing&, const standing&) = default;
};

// The member's own files in the data directory. harmony.conf is included at the very end of
// postgresql.conf; what it sets is taken out of postgresql.auto.conf, which would outrank it.
inline constexpr std::string_view conf_file = "harmony.conf";
inline constexpr std::string_view hba_file = "harmony_hba.conf";
inline constexpr std::string_view pass_file = "harmony.pgpass";

/// Refuses parameters that the protocol owns, and members that cannot be: a sentence that names it.
outcome<> check(const failover::member_settings& s);

/// What a standby may not have lower than its primary had, by the names of pg_controldata.
using least_values = std::map<std::string, std::uint32_t>;

/// harmony.conf. Defaults that `parameters` may change come first, what the protocol owns last; for
/// the start of a standby, parameters that are lower than `least` are as high for that run.
std::string write_conf(const failover::member_settings& s, const standing& now,
                       const least_values& least = {});
/// The names that nothing but harmony.conf may set, in lower case.
std::set<std::string> names_set(const failover::member_settings& s);
/// What harmony.conf says; what cannot be read is nothing.
standing read_conf(std::string_view text, const failover::member_settings& s);
/// primary_conninfo; empty where the upstream is nobody, or no member.
std::string primary_conninfo(const failover::member_settings& s, std::string_view upstream);

/// harmony_hba.conf: the superuser over the socket; the lines of the settings; the members'
/// replication user, by password (without one the settings' lines let it in). Where the settings
/// have no lines: local users by their account, and this host's by password.
std::string write_hba(const failover::member_settings& s, std::string_view superuser);
/// harmony.pgpass; empty without a password.
std::string write_pass(const failover::member_settings& s);

} // namespace harmony::postgres
