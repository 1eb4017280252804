#include <csignal>
#include <filesystem>

#include <unistd.h>

#include "integration/guard/postgres_bed.hpp"
#include "integration/postgres/cluster_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
namespace fx = failover::fx;

namespace {

/// b takes over from a, which goes on writing what nobody else has.
void fork(pg_node& a, pg_node& b) {
  REQUIRE(a.ask("INSERT INTO t VALUES (1)"));
  REQUIRE(catches_up(b, a));
  b.must(to<fx::follow>(std::string{}));
  REQUIRE(a.ask("INSERT INTO t SELECT generate_series(100, 5000)"));
  b.arm(2);
  b.must(to<fx::promote>(2U));
  REQUIRE(b.ask("INSERT INTO t VALUES (2)"));
  b.checkpoint();
  b.sees([](const auto& is) { return is.checkpoint_timeline == 2; });
}

void check_same(pg_node& a, pg_node& b) {
  a.must(to<fx::start_standby>(std::string{"b"}));
  const auto is = a.sees([](const auto& p) { return p.receives && p.timeline == 2; });
  CHECK(is.upstream == "b");
  CHECK(catches_up(a, b));
  for (const auto* sql : {"SELECT count(*) FROM t", "SELECT sum(n) FROM t"})
    CHECK(a.ask(sql) == b.ask(sql));
  CHECK(a.ask("SHOW port") == std::to_string(a.settings.members.front().port));
}

std::size_t set_aside(const pg_node& n) {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator{
         std::filesystem::path{n.settings.data_dir}.parent_path()})
    count += each.path().string().rfind(n.settings.data_dir + ".old-", 0) == 0 ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("postgres: an old primary that went on -> is rewound, with its own configuration") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  fork(a, b);
  a.must(to<fx::stop_fast>());
  const auto stopped = a.sees();
  CHECK_FALSE(stopped.running);
  CHECK(stopped.timeline == 1);
  CHECK(stopped.end() > b.sees().history.front().left_at);
  a.must(to<fx::rewind>(std::string{"b"}));
  CHECK(std::filesystem::exists(a.settings.data_dir + "/standby.signal"));
  check_same(a, b);
}

TEST_CASE("postgres: an old primary that was killed -> is shut down in order, and rewound") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  fork(a, b);
  kill(a.postmaster(), SIGKILL);
  a.sees([](const auto& is) { return !is.running; });
  a.must(to<fx::rewind>(std::string{"b"}));
  check_same(a, b);
}

TEST_CASE("postgres: data that are cloned anew -> the old ones are set aside, one of a kind") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  CHECK(set_aside(b) == 0); // its folder was empty
  for (int i = 0; i < 2; ++i) {
    b.must(to<fx::stop_fast>());
    b.must(to<fx::reclone>(std::string{"a"}));
    CHECK(set_aside(b) == 1);
  }
  b.must(to<fx::start_standby>(std::string{"a"}));
  b.sees([](const auto& is) { return is.receives; });
}

TEST_CASE("postgres: a source that is none -> refused, and the data are left as they are") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  b.must(to<fx::stop_fast>());
  const auto before = b.sees();
  CHECK_FALSE(b.order(to<fx::reclone>(std::string{"c"})).ok);
  CHECK_FALSE(b.order(to<fx::reclone>(std::string{"z"})).ok);
  CHECK(b.sees().system_id == before.system_id);
  CHECK_FALSE(a.order(to<fx::reclone>(std::string{"b"})).ok); // it runs
  b.must(to<fx::start_standby>(std::string{"a"}));
}

TEST_CASE("postgres: a primary that stopped in order -> its end is where the standby is") {
  cluster_bed bed;
  auto& a = bed.primary();
  auto& b = bed.standby_of(a, "b");
  REQUIRE(a.ask("INSERT INTO t SELECT generate_series(1, 1000)"));
  a.must(to<fx::stop_fast>());
  const auto end = a.sees().end();
  CHECK(b.sees([&](const auto& is) { return !is.receives; }).received == end);
}

TEST_CASE("postgres: a clone that was broken off between its renames -> the old data come back") {
  cluster_bed bed;
  const auto& a = bed.bootstrapped("a");
  const auto aside = a.settings.data_dir + ".old-20260101T000000Z";
  const auto control = read_file(a.settings.data_dir + "/global/pg_control");
  std::filesystem::rename(a.settings.data_dir, aside);
  CHECK(postgres::prepare(a.settings, {true, bed.owner(), ""}));
  CHECK_FALSE(std::filesystem::exists(aside));
  CHECK(read_file(a.settings.data_dir + "/global/pg_control") == control);
}

TEST_CASE(
  "postgres: the agent's sessions -> take nobody's functions for PostgreSQL's, and one that "
  "copies is no standby") {
  cluster_bed bed;
  auto& a = bed.primary();
  const auto limits = postgres::within(10s);
  const auto says = [&](auto session, const std::string& name) {
    REQUIRE(session);
    const auto answer = session->ask("SELECT current_setting('" + name + "')", limits);
    REQUIRE(answer);
    return answer->front().front().value_or("");
  };
  const auto owner = *postgres::account(bed.owner());
  CHECK(says(postgres::open_local(a.settings, owner, limits), "search_path") == "pg_catalog");
  const auto remote = [&] {
    return postgres::open_remote(bed.settings_of("b"), a.settings.members.front(), limits);
  };
  CHECK(says(remote(), "search_path") == "pg_catalog");
  CHECK(says(remote(), "application_name") == "harmony clone");
}

TEST_CASE("postgres: a folder that a member cannot run on -> refused with its reason") {
  cluster_bed bed;
  const auto refused = [&](const failover::member_settings& s, postgres::preparation how) {
    how.owner = bed.owner();
    const auto prepared = postgres::prepare(s, how);
    return prepared ? std::string{} : prepared.error().message;
  };
  auto& a = bed.bootstrapped("a");
  CHECK(refused(a.settings, {}).empty());
  CHECK(refused(a.settings, {true}).empty());
  CHECK(refused(a.settings, {false, "", "9"}).find("is asked for") != std::string::npos);
  write_file(a.settings.data_dir + "/PG_VERSION", "16\n");
  CHECK(refused(a.settings, {}).find("PostgreSQL 16 is needed") != std::string::npos);
  write_file(a.settings.data_dir + "/PG_VERSION", "12\n");
  CHECK(refused(a.settings, {}).find("oldest") != std::string::npos);
  write_file(a.settings.data_dir + "/PG_VERSION", "../../../tmp\n");
  CHECK(refused(a.settings, {}).find("neither empty nor") != std::string::npos);
  std::filesystem::remove(a.settings.data_dir + "/PG_VERSION");
  CHECK(refused(a.settings, {}).find("neither empty nor") != std::string::npos);
  must("chmod 755 " + a.settings.data_dir);
  CHECK(refused(a.settings, {}).find("mode 0755") != std::string::npos);
  if (::geteuid() == 0) {
    must("chown 0 " + a.settings.data_dir);
    CHECK(refused(a.settings, {}).find("belongs to user root") != std::string::npos);
  }
  auto s = bed.settings_of("b");
  std::filesystem::create_symlink(a.settings.data_dir, bed.file("link"));
  s.data_dir = bed.file("link");
  CHECK(refused(s, {}).find("is no folder") != std::string::npos);
  s = bed.settings_of("b");
  s.bin_dir = "/nonexistent";
  CHECK(refused(s, {true}).find("there is no '/nonexistent/postgres'") != std::string::npos);
  s.parameters["port"] = "1";
  CHECK(refused(s, {}).find("'port'") != std::string::npos);
}

} // namespace harmony::test
