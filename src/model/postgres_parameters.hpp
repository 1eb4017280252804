#pragma once

// What a cluster's configuration of PostgreSQL must not or must say.

#include <array>
#include <string>
#include <string_view>

namespace harmony {

/// Parameters that the failover protocol sets, or cannot hold without, and directives that are
/// none; docs/reconcilers/postgres-cluster.md has the same list.
inline constexpr std::array<std::string_view, 29> reserved_parameters{
  // who follows whom
  "primary_conninfo", "primary_slot_name", "synchronous_standby_names", "hot_standby",
  "promote_trigger_file", "trigger_file",
  // slots of a primary that a standby would wait for, or have itself
  "synchronized_standby_slots", "sync_replication_slots",
  // a standby receives from its primary alone, and at once: the protocol counts what it has
  "restore_command", "archive_recovery", "recovery_end_command", "archive_cleanup_command",
  "recovery_min_apply_delay",
  // a standby and a rewind need it in the log; an acknowledged commit, on the disk
  "wal_level", "wal_log_hints", "full_page_writes", "fsync",
  // where the agent finds it, and reads what it says
  "port", "unix_socket_directories", "data_directory", "config_file", "hba_file", "ident_file",
  "external_pid_file", "lc_messages",
  // who else sets them
  "allow_alter_system",
  // no settings: directives
  "include", "include_dir", "include_if_exists"};
/// And all that begin with this.
inline constexpr std::string_view reserved_prefix = "recovery_target";

/// What a commit has to wait for, so that no failover loses it.
inline constexpr std::array<std::string_view, 2> safe_commits{"on", "remote_apply"};

/// Why the parameter, in lower case, cannot be given that value: "is …". Empty: it can.
std::string refusal_of_parameter(std::string_view name, std::string_view value);

/// Whether a line of pg_hba.conf is about connections of standbys over the network.
bool lets_standbys_in(std::string_view hba_line);

} // namespace harmony
