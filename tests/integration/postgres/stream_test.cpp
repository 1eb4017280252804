#include <atomic>
#include <csignal>
#include <fstream>

#include "guard/process_tree.hpp"
#include "integration/postgres/cluster_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
namespace fx = failover::fx;

namespace {

/// As PostgreSQL titles its processes: this one serves the agent's session.
bool is_backend(pid_t pid) {
  std::ifstream title{"/proc/" + std::to_string(pid) + "/cmdline"};
  std::string text;
  return std::getline(title, text) && text.find("walsender") != std::string::npos;
}

bool streams(const failover::postgres& is) {
  return is.receives;
}

} // namespace

TEST_CASE("postgres: a new cluster -> a standby, promoted onto exactly the timeline that was asked "
          "for, and seen when it stopped") {
  cluster_bed bed;
  auto& a = bed.bootstrapped("a");
  a.open();
  CHECK_FALSE(a.sees().running);
  CHECK(a.sees().timeline == 1);
  a.must(to<fx::start_standby>(std::string{}));
  auto is = a.sees();
  CHECK(is.running);
  CHECK(is.in_recovery);
  CHECK(is.system_id != 0);
  CHECK(is.timeline == 1);
  CHECK(is.history.empty());
  CHECK(is.received == is.replayed);
  CHECK(a.sees([](const auto& p) { return p.whole; }).received == is.received);
  CHECK(a.order(to<fx::promote>(2U)).ok == false); // no lease
  a.arm(1);
  a.must(to<fx::promote>(4U));
  is = a.sees();
  CHECK_FALSE(is.in_recovery);
  CHECK(is.timeline == 4);
  REQUIRE(is.history.size() == 1);
  CHECK(is.history.front().timeline == 1);
  CHECK(a.ask("CREATE TABLE t (n int)"));
  a.checkpoint();
}

TEST_CASE("postgres: a member without data -> cloned, streams, and its primary sees it") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  REQUIRE(a.ask("INSERT INTO t VALUES (1)"));
  CHECK(catches_up(b, a));
  CHECK(b.ask("SELECT count(*) FROM t") == "1");
  const auto is = a.sees([](const auto& p) { return p.standbys.size() == 1; });
  CHECK(is.standbys.front().node == "b");
  CHECK(a.ask("SELECT slot_name FROM pg_replication_slots WHERE active") == "harmony_b");

  b.must(to<fx::follow>(std::string{}));
  auto frozen = b.sees();
  CHECK_FALSE(frozen.receives);
  CHECK(frozen.upstream.empty());
  REQUIRE(a.ask("INSERT INTO t VALUES (2)"));
  CHECK(b.sees().received == frozen.received);
  b.must(to<fx::follow>(std::string{"a"}));
  b.sees(streams);
  CHECK(catches_up(b, a));
}

TEST_CASE("postgres: a walreceiver that a paused replay does not end -> is ended") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  REQUIRE(b.ask("SELECT pg_wal_replay_pause()"));
  REQUIRE(a.ask("INSERT INTO t SELECT generate_series(1, 1000)"));
  b.sees([](const auto& is) { return is.received > is.replayed; });
  b.must(to<fx::follow>(std::string{}));
  const auto frozen = b.sees();
  CHECK_FALSE(frozen.receives);
  CHECK(frozen.received > frozen.replayed);
  REQUIRE(a.ask("INSERT INTO t SELECT generate_series(1, 1000)"));
  CHECK(b.sees().received == frozen.received);
}

TEST_CASE("postgres: a guard that ends and comes back -> is told, and PostgreSQL is down") {
  cluster_bed bed;
  auto& a = bed.primary();
  a.end_guard();
  CHECK(eventually([&] { return !a.guard_says().healthy; }, 10s));
  a.sees([](const auto& is) { return !is.running; });
  CHECK_FALSE(a.order(to<fx::start_standby>(std::string{})).ok);
  a.start_guard();
  CHECK(eventually([&] { return a.guard_says().healthy; }, 10s));
  CHECK_FALSE(a.guard_says().deadline);
  CHECK_FALSE(a.order(to<fx::start_primary>()).ok); // no lease
  a.must(to<fx::start_standby>(std::string{}));
  CHECK(a.sees().in_recovery);
}

TEST_CASE("postgres: synchronous names -> in effect, and a commit waits for them") {
  cluster_bed bed;
  auto& a = bed.primary();
  a.must(to<fx::set_sync_names>(failover::sync_names{1, {}}));
  CHECK(a.sees().names == failover::sync_names{1, {}});
  auto& b = bed.standby_of(a, "b");
  CHECK_FALSE(a.ask("SET statement_timeout = 500; SET synchronous_commit = on; INSERT INTO t "
                    "VALUES (1)")); // nobody can acknowledge it
  a.must(to<fx::set_sync_names>(failover::sync_names{1, {"b", "c"}}));
  CHECK(a.sees().names == failover::sync_names{1, {"b", "c"}});
  CHECK(a.ask("SET synchronous_commit = on; INSERT INTO t VALUES (2)"));
  CHECK(catches_up(b, a));

  // Somebody else's word comes after the member's file, and is taken out again.
  REQUIRE(a.ask("ALTER SYSTEM SET synchronous_standby_names = '*'"));
  REQUIRE(a.ask("SELECT pg_reload_conf()"));
  a.sees([](const auto& is) { return is.names.k == 0; });
  a.must(to<fx::set_sync_names>(failover::sync_names{}));
  CHECK(a.sees().names == failover::sync_names{});
}

TEST_CASE("postgres: a parameter that needs a restart -> is told, and is in force after one") {
  cluster_bed bed;
  auto& a = bed.primary();
  a.settings.parameters["max_connections"] = "21";
  a.settings.parameters["work_mem"] = "5MB";
  a.reopen();
  a.must(to<fx::set_sync_names>(failover::sync_names{}));
  CHECK(eventually(
    [&] { return a.member->now().pending_restart == std::vector<std::string>{"max_connections"}; },
    10s));
  CHECK(a.ask("SHOW work_mem") == "5MB");
  a.must(to<fx::stop_fast>());
  a.must(to<fx::start_primary>());
  CHECK(a.ask("SHOW max_connections") == "21");
}

TEST_CASE("postgres: a slot that cannot be made -> told, and the replication role is there") {
  cluster_bed bed;
  auto& a = bed.bootstrapped("a");
  a.settings.parameters["max_replication_slots"] = "1"; // and two are wanted
  a.open();
  a.arm(1);
  a.must(to<fx::start_primary>());
  CHECK(eventually(
    [&] { return a.ask("SELECT count(*) FROM pg_roles WHERE rolname = 'replicator'") == "1"; },
    10s));
  CHECK(eventually(
    [&] { return a.member->now().trouble.find("replication slots") != std::string::npos; }, 10s));
}

TEST_CASE("postgres: a stop -> what is under way is given up") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.joining("b");
  REQUIRE(a.ask("ALTER SYSTEM SET max_connections = 20"));
  kill(a.postmaster(), SIGSTOP); // it takes connections, and says nothing
  const auto clone = b.begin(to<fx::reclone>(std::string{"a"}));
  const auto stop = b.begin(to<fx::stop_fast>());
  CHECK_FALSE(b.end_of(clone).ok);
  CHECK(b.end_of(stop).ok);
  kill(a.postmaster(), SIGCONT);
  CHECK(b.sees().system_id == 0);
}

TEST_CASE("postgres: a server that refuses the agent -> a trouble, and not one that stopped") {
  cluster_bed bed;
  auto& a = bed.primary();
  write_file(a.settings.data_dir + "/harmony_hba.conf", "local all all reject\n");
  REQUIRE(a.ask("SELECT pg_reload_conf()"));
  REQUIRE(eventually([&] { return !a.ask("SELECT 1"); }, 10s));
  const auto sessions = guard::all_processes();
  for (const auto& each : sessions) // its backends, and so the session that looks
    if (each.parent == a.postmaster() && is_backend(each.pid))
      kill(each.pid, SIGTERM);
  CHECK(eventually(
    [&] { return a.member->now().trouble.find("pg_hba.conf rejects") != std::string::npos; }, 10s));
  CHECK(a.sees().running);
}

TEST_CASE("postgres: PostgreSQL has stopped -> the deadline can be taken away") {
  cluster_bed bed;
  auto& a = bed.primary();
  std::atomic<int> done{0};
  a.member->disarm([&](bool ok) { done = ok ? 1 : 2; });
  CHECK(eventually([&] { return done != 0; }, 10s));
  CHECK(done == 2); // it writes
  a.must(to<fx::stop_fast>());
  done = 0;
  a.member->disarm([&](bool ok) { done = ok ? 1 : 2; });
  CHECK(eventually([&] { return done != 0; }, 10s));
  CHECK(done == 1);
  CHECK(eventually([&] { return !a.guard_says().deadline; }, 10s));
}

} // namespace harmony::test
