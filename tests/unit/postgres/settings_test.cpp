#include "postgres/settings.hpp"

#include "postgres/conf.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/tend.hpp"
#include "support/catch.hpp"

namespace harmony::postgres {

namespace {

failover::member_settings three() {
  failover::member_settings s;
  s.cluster = "c";
  s.node = "b";
  s.members = {{"a", "10.0.0.1", 5432}, {"b", "db.example", 5433}, {"c", "fd00::3", 5432}};
  s.data_dir = "/data";
  s.replication_password = secret_bytes{"pass:word"};
  return s;
}

bool refuses(const std::string& name, const std::string& value) {
  auto s = three();
  s.parameters[name] = value;
  const auto fine = check(s);
  return !fine && fine.error().code == ec::invalid_spec
         && fine.error().message.find("'" + name + "'") != std::string::npos;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("settings: a parameter that the protocol owns -> refused with its name") {
  for (const auto* name :
       {"primary_conninfo", "Synchronous_Standby_Names", "port", "hba_file", "restore_command",
        "recovery_target_time", "wal_log_hints", "data_directory", "include", "primary_slot_name",
        "hot_standby", "recovery_min_apply_delay", "wal_level", "fsync", "archive_cleanup_command"})
    CHECK(refuses(name, "x"));
  for (const auto& name : names_set(three())) {
    INFO(name);
    CHECK(refuses(name, "x"));
  }
  CHECK(refuses("synchronous_commit", "off"));
  CHECK(refuses("synchronous_commit", "remote_write"));
  CHECK(refuses("work_mem", "1\nport = 2"));
  CHECK(refuses("a = 1; b", "2"));
  auto s = three();
  s.parameters = {{"work_mem", "8MB"},
                  {"synchronous_commit", "on"},
                  {"listen_addresses", "10.0.0.2"},
                  {"auto_explain.log_analyze", "on"}};
  CHECK(check(s));
}

TEST_CASE("settings: names that cannot be -> refused") {
  auto s = three();
  s.members[0].node = "A";
  CHECK_FALSE(check(s));
  s.members[0].node = std::string(56, 'a');
  CHECK_FALSE(check(s));
  s.members[0].node = std::string(55, 'a');
  CHECK(check(s));
  s.node = "z";
  CHECK_FALSE(check(s));
  s = three();
  s.replication_user = "x\" y";
  CHECK_FALSE(check(s));
  s = three();
  s.hba = {"include other"};
  CHECK_FALSE(check(s));
}

TEST_CASE("settings: harmony.conf -> own before parameters, parameters before defaults") {
  auto s = three();
  s.parameters = {{"Max_Wal_Senders", "50"}};
  const auto text = write_conf(s, {"a", {1, {"a", "c"}}});
  CHECK(setting_of(text, "max_wal_senders") == "50");
  CHECK(setting_of(text, "wal_level") == "replica");
  CHECK(setting_of(text, "port") == "5433");
  CHECK(setting_of(text, "primary_slot_name") == "harmony_b");
  CHECK(setting_of(text, "recovery_target_timeline") == "latest");
  const auto all = read_conninfo(*setting_of(text, "primary_conninfo"));
  CHECK(all.at("host") == "10.0.0.1");
  CHECK(all.at("application_name") == "b");
  CHECK(all.at("passfile") == "/data/harmony.pgpass");
  CHECK_FALSE(has(text, "pass:word"));
  CHECK(names_set(s).count("max_wal_senders") == 1);
}

TEST_CASE("settings: parameters below the primary's -> raised for a standby's run") {
  auto s = three();
  s.parameters = {{"max_connections", "20"}, {"max_locks_per_transaction", "200"}};
  const auto text = write_conf(s, {},
                               {{"max_connections", 100},
                                {"max_locks_per_xact", 64},
                                {"max_prepared_xacts", 5},
                                {"max_worker_processes", 8}});
  CHECK(setting_of(text, "max_connections") == "100");
  CHECK(setting_of(text, "max_locks_per_transaction") == "200");
  CHECK(setting_of(text, "max_prepared_transactions") == "5");
  CHECK(setting_of(text, "max_worker_processes") == std::nullopt);
  CHECK(setting_of(write_conf(s, {}), "max_connections") == "20");
}

TEST_CASE("settings: what the orders changed -> is read back") {
  const auto s = three();
  for (const auto& now :
       std::vector<standing>{{"", {}}, {"a", {}}, {"c", {2, {"a", "c"}}}, {"", {1, {}}}})
    CHECK(read_conf(write_conf(s, now), s) == now);
  CHECK(read_conf("", s) == standing{});
}

TEST_CASE("settings: pg_hba.conf -> the agent first, the members by password") {
  auto s = three();
  s.hba = {"hostssl app app 10.0.0.0/8 scram-sha-256"};
  const auto text = write_hba(s, "postgres");
  CHECK(text.find("local all \"postgres\" peer") < text.find("hostssl app"));
  CHECK(has(text, "host replication \"replicator\" 10.0.0.1/32 scram-sha-256\n"));
  CHECK(has(text, "host postgres \"replicator\" db.example scram-sha-256\n"));
  CHECK(has(text, "host replication \"replicator\" fd00::3/128 scram-sha-256\n"));
  CHECK_FALSE(has(text, "local all all peer"));
  CHECK_FALSE(has(text, "trust"));
  s.replication_password = {};
  s.hba.clear();
  const auto bare = write_hba(s, "postgres");
  CHECK_FALSE(has(bare, "replicator"));
  CHECK(has(bare, "local all all peer"));
}

TEST_CASE("settings: the password file -> its separators escaped") {
  CHECK(write_pass(three()) == "*:*:*:replicator:pass\\:word\n");
  auto s = three();
  s.replication_password = {};
  CHECK(write_pass(s).empty());
}

TEST_CASE("slots: of a primary -> one a member, and none of who left") {
  const auto s = three();
  CHECK(slot_orders(s, false, {"harmony_a", "harmony_c"}).empty());
  const auto orders = slot_orders(s, false, {"harmony_a", "harmony_gone"});
  REQUIRE(orders.size() == 2);
  CHECK(has(orders[0], "pg_drop_replication_slot"));
  CHECK(has(orders[0], "'harmony_gone'"));
  CHECK(has(orders[1], "pg_create_physical_replication_slot('harmony_c', true)"));
}

TEST_CASE("slots: one that lost its log -> made anew") {
  const auto orders = slot_orders(three(), false, {"!harmony_a", "harmony_c"});
  REQUIRE(orders.size() == 2);
  CHECK(has(orders[0], "pg_drop_replication_slot"));
  CHECK(has(orders[1], "pg_create_physical_replication_slot('harmony_a'"));
}

TEST_CASE("slots: of a standby -> none") {
  const auto orders = slot_orders(three(), true, {"harmony_a"});
  REQUIRE(orders.size() == 1);
  CHECK(has(orders[0], "pg_drop_replication_slot"));
}

TEST_CASE("role: a verifier -> is told and not the password") {
  const auto orders = role_orders(three(), "SCRAM-SHA-256$x");
  CHECK(has(orders.at(1), "PASSWORD 'SCRAM-SHA-256$x'"));
  CHECK_FALSE(has(role_orders(three(), "").at(1), "PASSWORD"));
}

TEST_CASE("settings: commits that are acknowledged -> are safe, whatever else is configured") {
  auto s = three();
  const auto set = [&](const char* name) { return setting_of(write_conf(s, {}), name); };
  CHECK(set("synchronous_commit") == "on");
  CHECK(set("fsync") == "on");
  CHECK(set("recovery_end_command") == "");
  CHECK(set("archive_cleanup_command") == "");
  for (const auto* name : {"synchronous_commit", "fsync", "recovery_end_command"})
    CHECK(names_set(s).count(name) == 1); // not left in postgresql.auto.conf
  s.parameters["synchronous_commit"] = "remote_apply";
  CHECK(check(s));
  CHECK(set("synchronous_commit") == "remote_apply");
}

TEST_CASE("conninfo: what copies -> has a name that no member can have") {
  auto s = three();
  s.members[0].node = clone_name;
  CHECK_FALSE(check(s));
  CHECK(has(write_conninfo(reach(three(), s.members[1], clone_name)),
            "application_name='harmony clone'"));
  CHECK(has(primary_conninfo(three(), "a"), "application_name='b'"));
}

} // namespace harmony::postgres
