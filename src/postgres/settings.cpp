#include "postgres/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "model/ids.hpp"
#include "model/postgres_parameters.hpp"
#include "postgres/conf.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/sync_names.hpp"

namespace harmony::postgres {

namespace {

using settings_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t longest_slot_name = 63;

struct compared_parameter {
  std::string_view printed; ///< by pg_controldata
  std::string_view name;
  std::uint32_t usual; ///< PostgreSQL's default
};
constexpr std::array<compared_parameter, 5> compared{
  {{"max_connections", "max_connections", 100},
   {"max_worker_processes", "max_worker_processes", 8},
   {"max_wal_senders", "max_wal_senders", 10},
   {"max_prepared_xacts", "max_prepared_transactions", 0},
   {"max_locks_per_xact", "max_locks_per_transaction", 64}}};

/// The setting that makes it high enough; empty where it is.
std::string raised(std::string_view conf, std::string_view name, std::uint32_t usual,
                   std::uint32_t least) {
  const auto given = setting_of(conf, name);
  auto value = usual;
  if (given)
    std::from_chars(given->data(), given->data() + given->size(), value);
  return value < least ? write_setting(name, std::to_string(least)) : std::string{};
}

settings_list defaults(const failover::member_settings& s) {
  // Each member may stream twice for a moment, and be copied from.
  const auto senders = std::to_string(10 + 3 * s.members.size());
  return {{"listen_addresses", "*"},
          {"wal_level", "replica"},
          {"max_wal_senders", senders},
          {"max_replication_slots", senders},
          {"wal_keep_size", "128MB"},
          // A member that is away does not fill the primary's disk: it is cloned again.
          {"max_slot_wal_keep_size", "4GB"},
          {"wal_retrieve_retry_interval", "500ms"},
          {"wal_receiver_timeout", "10s"},
          {"wal_sender_timeout", "10s"},
          {"password_encryption", "scram-sha-256"}};
}

/// What `parameters` may change, and nobody else: see `names_set`.
settings_list firm() {
  return {{"synchronous_commit", "on"}};
}

settings_list owned(const failover::member_settings& s, const standing& now) {
  const auto* self = find_member(s, s.node);
  const auto conninfo = primary_conninfo(s, now.upstream);
  return {{"port", std::to_string(self == nullptr ? 0 : self->port)},
          {"unix_socket_directories", s.socket_dir},
          {"hba_file", s.data_dir + "/" + std::string{hba_file}},
          {"hot_standby", "on"},
          {"lc_messages", "C"},    // the member reads some
          {"wal_log_hints", "on"}, // for pg_rewind
          {"full_page_writes", "on"},
          {"fsync", "on"},         // what is acknowledged is on the disk
          {"restore_command", ""}, // a standby receives from its upstream, and from nobody else
          {"archive_cleanup_command", ""},
          {"recovery_end_command", ""},
          {"recovery_min_apply_delay", "0"},
          {"recovery_target", ""},
          {"recovery_target_lsn", ""},
          {"recovery_target_name", ""},
          {"recovery_target_time", ""},
          {"recovery_target_timeline", "latest"},
          {"recovery_target_xid", ""},
          {"primary_conninfo", conninfo},
          {"primary_slot_name", conninfo.empty() ? "" : slot_of(s.node)},
          {"synchronous_standby_names", write_sync_names(now.names)}};
}

bool is_role(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

outcome<> check_parameter(const std::string& name, const std::string& value) {
  const auto key = lower(name);
  if (const auto why = refusal_of_parameter(key, lower(value)); !why.empty())
    return {ec::invalid_spec, "the parameter '" + name + "' " + why};
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  if (!plain || value.find('\n') != std::string::npos)
    return {ec::invalid_spec, "'" + name + "' is no parameter of one line"};
  return {};
}

std::string address_of(const std::string& host) {
  if (host.find(':') != std::string::npos)
    return host + "/128";
  return host.find_first_not_of("0123456789.") == std::string::npos ? host + "/32" : host;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (c == ':' || c == '\\')
      all += '\\';
    all += c;
  }
  return all;
}

} // namespace

outcome<> check(const failover::member_settings& s) {
  for (const auto& each : s.members)
    if (!is_name(each.node) || slot_of(each.node).size() > longest_slot_name)
      return {
        ec::invalid_spec,
        "'" + each.node + "' cannot be a member's name: at most "
          + std::to_string(longest_slot_name - slot_prefix.size())
          + " lower-case letters, digits and inner '-', because a replication slot is named by it"};
  if (find_member(s, s.node) == nullptr)
    return {ec::invalid_spec, "'" + s.node + "' is not among the members"};
  if (!is_role(s.replication_user))
    return {ec::invalid_spec, "the replication user '" + s.replication_user
                                + "' must be of lower-case letters, digits and '_'"};
  for (const auto& [name, value] : s.parameters)
    if (auto fine = check_parameter(name, value); !fine)
      return fine;
  for (const auto& line : s.hba)
    if (line.find('\n') != std::string::npos || lower(line).rfind("include", 0) == 0)
      return {ec::invalid_spec, "'" + line + "' is no line of pg_hba.conf"};
  return {};
}

std::string primary_conninfo(const failover::member_settings& s, std::string_view upstream) {
  const auto* whom = find_member(s, upstream);
  if (whom == nullptr)
    return {};
  auto all = reach(s, *whom, s.node);
  if (!s.replication_password.reveal().empty())
    all.emplace_back("passfile", s.data_dir + "/" + std::string{pass_file});
  return write_conninfo(all);
}

std::string write_conf(const failover::member_settings& s, const standing& now,
                       const least_values& least) {
  std::string text = "# Written by harmony-agent for the cluster '" + s.cluster
                     + "', and written anew: change the manifest.\n";
  for (const auto& [name, value] : defaults(s))
    text += write_setting(name, value);
  for (const auto& [name, value] : firm())
    text += write_setting(name, value);
  for (const auto& [name, value] : s.parameters)
    text += write_setting(lower(name), value);
  for (const auto& [name, value] : owned(s, now))
    text += write_setting(name, value);
  for (const auto& [printed, name, usual] : compared)
    if (const auto at = least.find(std::string{printed}); at != least.end())
      text += raised(text, name, usual, at->second);
  return text;
}

std::set<std::string> names_set(const failover::member_settings& s) {
  std::set<std::string> names;
  for (const auto& list : {firm(), owned(s, {})})
    for (const auto& [name, value] : list)
      names.insert(name);
  for (const auto& [name, value] : s.parameters)
    names.insert(lower(name));
  return names;
}

standing read_conf(std::string_view text, const failover::member_settings& s) {
  return {upstream_of(setting_of(text, "primary_conninfo").value_or(""), s.members),
          read_sync_names(setting_of(text, "synchronous_standby_names").value_or(""))};
}

std::string write_hba(const failover::member_settings& s, std::string_view superuser) {
  const auto user = "\"" + std::string{superuser} + "\"";
  std::string text =
    "# Written by harmony-agent, and written anew: change the manifest.\nlocal all " + user
    + " peer\nlocal replication " + user + " peer\n";
  for (const auto& line : s.hba)
    text += line + "\n";
  if (!s.replication_password.reveal().empty())
    for (const auto& each : s.members) // pg_rewind is no replication: it reads by SQL
      for (const auto* database : {"replication", "postgres"})
        text += "host " + std::string{database} + " \"" + s.replication_user + "\" "
                + address_of(each.host) + " scram-sha-256\n";
  if (s.hba.empty())
    text += "local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n"
            "host all all ::1/128 scram-sha-256\n";
  return text;
}

std::string write_pass(const failover::member_settings& s) {
  if (s.replication_password.reveal().empty())
    return {};
  return "*:*:*:" + escaped(s.replication_user) + ":" + escaped(s.replication_password.reveal())
         + "\n";
}

} // namespace harmony::postgres
