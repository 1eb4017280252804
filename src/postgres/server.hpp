#pragma once

#include <string>
#include <vector>

#include "failover/member.hpp"
#include "postgres/control.hpp"
#include "postgres/data_files.hpp"
#include "postgres/session.hpp"

namespace harmony::postgres {

/// So much time from now, unless `cancel` comes first.
check_limits within(std::chrono::milliseconds t, const std::stop_token& cancel = {});

/// The data directory and whose it is. Fails where it is missing, or root's.
outcome<data_files> files_of(const failover::member_settings& s);

/// A session with this member's own server, as its superuser over the Unix socket; it knows
/// IDENTIFY_SYSTEM too. Fails with name_conflict where the server that answers is another one.
outcome<session> open_local(const failover::member_settings& s, const owner& who,
                            const check_limits& limits);
/// A session with another member's server, as the replication user.
outcome<session> open_remote(const failover::member_settings& s,
                             const failover::member_address& whom, const check_limits& limits);

/// The folder of PostgreSQL's programs of a major version.
std::string programs(const failover::member_settings& s, const std::string& major);
/// The newest major version that is installed as Debian does; empty: none is.
std::string newest_installed();
/// Fails where there is no `postgres` there, or it is of another major version; empty: any will do.
/// It is asked as `who`.
outcome<> check_programs(const std::string& folder, const std::string& major, const owner& who,
                         const check_limits& limits);

struct program_call {
  std::vector<std::string> command;
  bool with_password = false; ///< the replication password goes along
  bool launched = true;       ///< by the launcher; else in the agent's own control group
};

/// Runs one of PostgreSQL's programs as `who`; answers what it printed. A failure has the end of
/// that.
outcome<std::string> run_program(const failover::member_settings& s, const owner& who,
                                 program_call what, const check_limits& limits);

/// Of data whose server does not run, by pg_controldata.
outcome<control> control_of(const failover::member_settings& s, const data_files& files,
                            const check_limits& limits);
/// Where the log of a clean server ends; what is known of another one's.
failover::lsn end_of_log(const control& c, const data_files& files);

} // namespace harmony::postgres
