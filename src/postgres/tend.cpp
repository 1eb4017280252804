#include "postgres/tend.hpp"

#include <algorithm>

#include "postgres/conninfo.hpp"

namespace harmony::postgres {

namespace {

std::string doubled(std::string_view text, char quote) {
  std::string all{quote};
  for (const char c : text) {
    if (c == quote)
      all += quote;
    all += c;
  }
  return all + quote;
}

} // namespace

std::string quoted(std::string_view text) {
  return doubled(text, '\'');
}

std::vector<std::string> slot_orders(const failover::member_settings& s, bool in_recovery,
                                     const std::vector<std::string>& there) {
  std::vector<std::string> wanted;
  if (!in_recovery)
    for (const auto& each : s.members)
      if (each.node != s.node)
        wanted.push_back(slot_of(each.node));
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::vector<std::string> orders;
  for (const auto& each : there) {
    const bool lost = each.front() == '!';
    const auto name = lost ? each.substr(1) : each;
    // One that somebody streams from goes later.
    if (lost || !has(wanted, name))
      orders.push_back("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                       "WHERE NOT active AND slot_name = "
                       + quoted(name));
  }
  for (const auto& name : wanted)
    if (!has(there, name))
      orders.push_back("SELECT pg_create_physical_replication_slot(" + quoted(name)
                       + ", true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE "
                         "slot_name = "
                       + quoted(name) + ")");
  return orders;
}

std::vector<std::string> role_orders(const failover::member_settings& s,
                                     const std::string& verifier) {
  const auto role = doubled(s.replication_user, '"');
  std::vector<std::string> orders{"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
                                  + quoted(s.replication_user) + ") THEN CREATE ROLE " + role
                                  + "; END IF; END $$"};
  orders.push_back("ALTER ROLE " + role + " LOGIN REPLICATION"
                   + (verifier.empty() ? std::string{} : " PASSWORD " + quoted(verifier)));
  for (const auto* function :
       {"pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)",
        "pg_read_binary_file(text)", "pg_read_binary_file(text, bigint, bigint, boolean)"})
    orders.push_back("GRANT EXECUTE ON FUNCTION pg_catalog." + std::string{function} + " TO "
                     + role);
  return orders;
}

} // namespace harmony::postgres
