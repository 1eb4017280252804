// What is set of a server that runs already, and what must be in force before it writes.

#include <algorithm>
#include <csignal>

#include "integration/postgres/cluster_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
namespace fx = failover::fx;

namespace {

constexpr const char* slots = "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM "
                              "pg_replication_slots";
constexpr const char* commit =
  "SET statement_timeout = 500; SET synchronous_commit = on; CREATE TABLE t (n int)";
const failover::sync_names nobody{1, {}};

/// Stops it while it lives.
class held_checkpointer {
public:
  explicit held_checkpointer(pg_node& of)
    : pid_(std::stoi(
      of.ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").value())) {
    kill(pid_, SIGSTOP);
  }
  ~held_checkpointer() { kill(pid_, SIGCONT); }
  held_checkpointer(const held_checkpointer&) = delete;
  held_checkpointer& operator=(const held_checkpointer&) = delete;

private:
  pid_t pid_;
};

} // namespace

TEST_CASE("postgres: other settings of servers that run -> in force without an order") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  const auto password = "SELECT rolpassword FROM pg_authid WHERE rolname = 'replicator'";
  const auto before = a.ask(password);
  for (auto* each : {&a, &b}) {
    auto& s = each->settings;
    s.parameters["work_mem"] = "5MB";
    s.hba = {"host all app 10.1.2.3/32 scram-sha-256"};
    s.replication_password = secret_bytes{"another"};
    s.members.pop_back();
    each->reopen();
  }
  for (auto* each : {&a, &b}) {
    CHECK(eventually([&] { return each->ask("SHOW work_mem") == "5MB"; }, 10s));
    CHECK(eventually(
      [&] {
        return each->ask("SELECT count(*) FROM pg_hba_file_rules WHERE address = '10.1.2.3'")
               == "1";
      },
      10s));
  }
  CHECK(eventually([&] { return a.ask(slots) == "harmony_b"; }, 10s));
  CHECK(eventually([&] { return a.ask(password) != before; }, 10s));
  CHECK(read_file(b.settings.data_dir + "/harmony.pgpass").find("another") != std::string::npos);
  b.must(to<fx::follow>(std::string{}));
  b.must(to<fx::follow>(std::string{"a"})); // by the new password
  b.sees([](const auto& is) { return is.receives; });
}

TEST_CASE("postgres: a parameter that needs a restart -> is told to people, raised ones are not") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  a.settings.parameters["max_connections"] = "30";
  a.reopen();
  CHECK(eventually(
    [&] { return a.member->trouble() == "'max_connections' wait for a restart of PostgreSQL"; },
    10s));
  a.must(to<fx::stop_fast>());
  a.must(to<fx::start_primary>());
  CHECK(eventually([&] { return a.member->trouble().empty(); }, 10s));

  b.must(to<fx::follow>(std::string{"a"}));
  b.must(to<fx::stop_fast>());
  b.must(to<fx::start_standby>(std::string{"a"}));
  if (b.ask("SHOW max_connections") == "20") { // it had not replayed the primary's
    CHECK(catches_up(b, a));
    b.must(to<fx::stop_fast>());
    b.must(to<fx::start_standby>(std::string{"a"}));
  }
  CHECK(b.ask("SHOW max_connections") == "30");
  b.reopen();
  b.must(to<fx::follow>(std::string{}));
  CHECK(b.ask("SELECT count(*) FROM pg_settings WHERE pending_restart") == "0");
}

TEST_CASE("postgres: programs that copy -> by the launcher, and looks without it") {
  cluster_bed bed;
  bed.primary();
  const auto script = bed.file("launcher").string();
  write_file(script,
             "#!/bin/sh\necho \"$*\" >> " + bed.file("launched").string() + "\nexec \"$@\"\n");
  must("chmod 755 " + script);
  auto& b = bed.joining("b");
  b.settings.launcher = {script};
  b.reopen();
  b.must(to<fx::reclone>(std::string{"a"}));
  b.must(to<fx::start_standby>(std::string{"a"}));
  const auto launched = read_file(bed.file("launched"));
  CHECK(launched.find("/pg_basebackup --pgdata=") != std::string::npos);
  CHECK(launched.find("pg_controldata") == std::string::npos);
  CHECK(std::count(launched.begin(), launched.end(), '\n') == 1);
}

TEST_CASE("postgres: names before a promotion -> not done before a commit would wait for them") {
  cluster_bed bed;
  auto& a = bed.bootstrapped("a");
  a.open();
  a.must(to<fx::start_standby>(std::string{}));
  a.arm(1);
  std::uint64_t set = 0;
  {
    const held_checkpointer held{a};
    set = a.begin(to<fx::set_sync_names>(nobody));
    CHECK(eventually([&] { return a.ask("SHOW synchronous_standby_names") != ""; }, 10s));
    CHECK_FALSE(eventually([&] { return a.done(set); }, 500ms));
  }
  CHECK(a.end_of(set).ok);

  a.reopen(); // an agent that knows nothing of it
  std::uint64_t promoted = 0;
  {
    const held_checkpointer held{a};
    promoted = a.begin(to<fx::promote>(2U));
    CHECK_FALSE(eventually([&] { return a.ask("SELECT pg_is_in_recovery()") == "f"; }, 500ms));
  }
  CHECK(a.end_of(promoted).ok);
  CHECK_FALSE(a.ask(commit));
}

TEST_CASE("postgres: a promotion -> slots for the others before anything else is done") {
  cluster_bed bed;
  auto& a = bed.bootstrapped("a");
  a.open();
  a.must(to<fx::start_standby>(std::string{}));
  a.arm(1);
  a.must(to<fx::promote>(2U));
  a.must(to<fx::set_sync_names>(nobody));
  CHECK(a.ask(slots) == "harmony_b harmony_c");
}

} // namespace harmony::test
