#pragma once

// Who the members of a cluster are, and what one of them runs.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/failover/timings.hpp"
#include "model/secret.hpp"

namespace harmony::failover {

struct member_address {
  std::string node; ///< also its application_name, its replication slot's name and the name in
                    ///< synchronous_standby_names
  std::string host; ///< name or address
  std::uint16_t port = 5432;

  friend bool operator==(const member_address&, const member_address&) = default;
};

/// PostgreSQL on this member.
struct member_settings {
  std::string cluster;
  std::string node; ///< this one; it is among `members`
  std::vector<member_address> members;
  std::string data_dir; ///< its owner is whom PostgreSQL runs as
  std::string bin_dir;  ///< empty: Debian's of the data directory's version
  std::string guard_socket;
  std::string socket_dir = "/var/run/postgresql";
  std::string replication_user = "replicator";
  secret_bytes replication_password; ///< empty: none is sent
  std::map<std::string, std::string>
    parameters;                 ///< of postgresql.conf; the protocol's own are refused
  std::vector<std::string> hba; ///< lines of pg_hba.conf, before the member's own
  timings periods;
  /// Words before a program that takes much memory or time, which leads it out of the agent's
  /// control group; empty: it runs there.
  std::vector<std::string> launcher;
};

} // namespace harmony::failover
