// PostgreSQL's failover as it is installed: what the service manager does to a member, and what
// the member leaves on the device.

#include <filesystem>

#include "failover/cluster_bed.hpp"
#include "integration/failover_unit/device_member.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

pid_t agent_pid() {
  return std::stoi(installed_agent::property("MainPID"));
}

std::string epoch(const nats_server& server) {
  return shell(
    "/usr/bin/harmonyctl --store " + server.url()
    + R"( failover status main -o json | sed -n 's/.*"epoch": *\([0-9]*\).*/\1/p' | head -n 1)");
}

/// Files below these that have the word, each on a line.
std::string files_with(const std::string& word, const std::string& folders) {
  return shell("grep -rlaF -- '" + word + "' " + folders + " 2>/dev/null");
}

/// Agent, guard and PostgreSQL by hand beside the device's own, as the first member.
class first_member {
public:
  first_member(const nats_server& server, device_member& device)
    : at_("a", server), link_(device.remote().link()) {
    write_file(folder() / "secrets" / "replication", device_member::password);
    const auto manifest =
      R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"a","generation":1},"spec":{"resources":[)"
      R"({"kind":"PostgresCluster","name":"main","spec":{"cluster":"main","member":"a","bootstrap":true,"members":[)"
      R"({"name":"device","host":"127.0.0.1","port":)"
      + std::to_string(device.port()) + R"(},{"name":"a","host":"127.0.0.1","port":)"
      + std::to_string(at_.port()) + R"(}],"dataDir":")" + at_.data() + R"(","socketDir":")"
      + (folder() / "sockets").string()
      + R"(","replication":{"secretRef":{"file":"replication"}},"hba":["host all all 127.0.0.1/32 trust"]}}]}})";
    REQUIRE(link_.put(bucket::desired_state, "a", manifest, 0, 5000ms).ok());
    at_.start_guard();
    at_.start_agent();
    const bool there =
      eventually([&] { return at_.ask("SELECT pg_is_in_recovery()") == "f"; }, 40s);
    INFO(at_.agent_log() << at_.guard_log() << at_.postgres_log());
    REQUIRE(there);
  }

  [[nodiscard]] fs::path folder() const { return fs::path{at_.data()}.parent_path(); }
  [[nodiscard]] std::string as_member() const {
    return R"(,{"name":"a","host":"127.0.0.1","port":)" + std::to_string(at_.public_port()) + "}";
  }
  bed_member* operator->() { return &at_; }

private:
  bed_member at_;
  store& link_;
};

TEST_CASE("failover unit: bootstrap -> Ready, with the guard's unit and conf, PostgreSQL in its "
          "control group") {
  const nats_server server;
  device_member m{server};
  m.start();
  CHECK(m.writable());
  CHECK(read_file(m.conf).find("HARMONY_PGGUARD_DATA_DIR=\"" + m.data + "\"") != std::string::npos);
  CHECK(m.guard("ActiveState") == "active");
  CHECK(m.guard("UnitFileState") == "enabled");
  const auto postmaster = m.postmaster();
  REQUIRE(postmaster > 1);
  CHECK_THAT(read_file("/proc/" + std::to_string(postmaster) + "/cgroup"),
             Contains(m.unit + "/postgres"));
  CHECK(must("ps -o user= -p " + std::to_string(postmaster)) == "postgres");
  CHECK_THAT(ctl(server, "failover status main"), Contains("held by 'device'"));
}

TEST_CASE("failover unit: the agent is restarted in order -> hands over, and is soon the primary "
          "again; its guard runs on") {
  const nats_server server;
  device_member m{server};
  m.start();
  REQUIRE(m.ask("CREATE TABLE t AS SELECT 7 AS n"));
  const auto guard = m.guard("MainPID");
  const auto before = epoch(server);
  must("systemctl restart harmony-agent");
  CHECK(m.writable(20s));
  CHECK(m.ask("SELECT n FROM t") == "7");
  CHECK(std::stoi(epoch(server)) > std::stoi(before));
  CHECK(m.guard("MainPID") == guard);
  m.await_ready();
}

TEST_CASE("failover unit: the agent is killed -> started again, and goes on under the live "
          "deadline") {
  const nats_server server;
  device_member m{server, "normal"};
  m.start();
  const auto postmaster = m.postmaster();
  const auto before = epoch(server);
  const auto agent = agent_pid();
  must("systemctl kill --kill-who=main -s KILL harmony-agent");
  REQUIRE(eventually([&] { return agent_pid() != agent && agent_pid() > 1; }, 20s));
  // A lease is worth 14 s: the member must have renewed it to be writable that long after.
  const auto until = std::chrono::steady_clock::now() + 20s;
  const bool interrupted = eventually(
    [&] {
      return m.ask("SELECT pg_is_in_recovery()") != "f" || std::chrono::steady_clock::now() > until;
    },
    25s);
  INFO(m.story());
  CHECK(interrupted);
  CHECK(std::chrono::steady_clock::now() > until); // by its end alone
  CHECK(m.postmaster() == postmaster);
  CHECK(epoch(server) == before);
  m.await_ready();
}

TEST_CASE("failover unit: left the manifest -> PostgreSQL and its guard stop, the conf goes, the "
          "data stay") {
  const nats_server server;
  device_member m{server};
  m.start();
  m.remote().apply("");
  CHECK(m.remote().converged());
  CHECK_FALSE(fs::exists(m.conf));
  CHECK(m.guard("ActiveState") == "inactive");
  CHECK(m.guard("UnitFileState") != "enabled");
  CHECK(m.postmaster() == 0);
  CHECK(fs::exists(m.data + "/PG_VERSION"));
  CHECK(fs::exists(m.data + "/standby.signal"));
  CHECK_THAT(ctl(server, "failover status main"), Contains("released"));
}

TEST_CASE("failover unit: the guard is stopped and its unit disabled -> both are put back") {
  const nats_server server;
  device_member m{server};
  m.start();
  must("systemctl disable --now " + m.unit);
  const bool again = m.writable(60s);
  INFO(m.story());
  REQUIRE(again);
  CHECK(m.guard("ActiveState") == "active");
  CHECK(m.guard("UnitFileState") == "enabled");
  m.await_ready();
}

TEST_CASE("failover unit: the guard's conf is edited or removed -> put back, PostgreSQL runs on") {
  const nats_server server;
  device_member m{server};
  m.start();
  const auto wanted = read_file(m.conf);
  const auto guard = m.guard("MainPID");
  const auto postmaster = m.postmaster();
  SECTION("edited") {
    write_file(m.conf, wanted + "POSTGRES_OPTIONS=-c work_mem=1MB\n");
  }
  SECTION("removed") {
    fs::remove(m.conf);
  }
  const bool back =
    eventually([&] { return fs::exists(m.conf) && read_file(m.conf) == wanted; }, 90s);
  INFO(m.story());
  CHECK(back);
  CHECK(m.guard("MainPID") == guard);
  CHECK(m.postmaster() == postmaster);
  CHECK(m.writable());
  m.await_ready();
}

TEST_CASE("failover unit: joins a cluster -> clones under the unit's limits, takes over, and hands "
          "over at the agent's end; the password is shown nowhere") {
  const nats_server server;
  const process_watch all{device_member::password};
  device_member m{server};
  first_member first{server, m};
  m.start(false, first.as_member());
  CHECK(m.ask("SELECT pg_is_in_recovery()") == "t");
  for (const auto& [name, group] : all.programs())
    UNSCOPED_INFO(name << " ran in " << group);
  CHECK(all.programs().count("pg_basebackup") == 1);

  const auto electable = "/usr/bin/harmonyctl --store " + server.url()
                         + " failover status main | grep -E 'device +standby .* yes '";
  REQUIRE(eventually([&] { return succeeds(electable); }, 30s));
  CHECK_THAT(ctl(server, "failover switchover main --to device --wait"), !Contains("failed"));
  CHECK(m.writable());
  CHECK(eventually([&] { return first->ask("SELECT pg_is_in_recovery()") == "t"; }, 30s));
  CHECK(eventually(
    [&] {
      return m.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1";
    },
    60s));
  m.await_ready();

  SECTION("the other one is ordered to clone its data anew") {
    const auto said = ctl(server, "failover reinit main a --wait=60s");
    INFO(said << first->agent_log() << first->postgres_log());
    CHECK_THAT(said, Contains("done") && !Contains("failed"));
    CHECK(shell("ls -d " + first->data() + ".old-*").find(".old-") != std::string::npos);
    CHECK(eventually(
      [&] {
        return m.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1";
      },
      60s));
  }
  INFO(m.story());
  SECTION("the agent is restarted") {
    must("systemctl restart harmony-agent");
    CHECK(eventually([&] { return first->ask("SELECT pg_is_in_recovery()") == "f"; }, 30s));
    CHECK(eventually([&] { return m.ask("SELECT pg_is_in_recovery()") == "t"; }, 60s));
    m.await_ready();
  }
  SECTION("the password is looked for") {
    const auto word = device_member::password;
    CHECK(all.shown() == std::vector<std::string>{});
    CHECK_THAT(ctl(server, "get pi-1 -o json"), !Contains(word));
    CHECK_THAT(ctl(server, "describe pi-1"), !Contains(word));
    CHECK_THAT(ctl(server, "failover status main -o json"), !Contains(word));
    CHECK_THAT(shell("/usr/bin/harmony-agent status 2>&1"), !Contains(word));
    write_file(
      "/srv/h-pg/plan.json",
      R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1","generation":9},)"
      R"("spec":{"resources":[)"
        + m.resource(false) + "]}}");
    const auto plan = ctl(server, "plan -f /srv/h-pg/plan.json");
    CHECK_THAT(plan, Contains("PostgresCluster/main") && !Contains(word));
    must("/usr/bin/harmony-agent support-bundle --output /srv/h-pg/bundle.tar.gz");
    CHECK(shell("tar -xzOf /srv/h-pg/bundle.tar.gz | grep -caF -- '" + word + "'") == "0");
    CHECK(shell("journalctl --no-pager -a -o export | grep -caF -- '" + word + "'") == "0");
    // Its secret's file, and what only PostgreSQL's account may read.
    CHECK(files_with(word, "/etc /run /var/lib/harmony-agent /var/log")
          == "/etc/harmony-agent/secrets/replication");
    CHECK(shell("find " + m.data + " -perm /077 -type f -exec grep -laF -- '" + word + "' {} +")
            .empty());
    CHECK(shell("grep -rlaF -- '" + word + "' " + m.data + "/log 2>/dev/null").empty());
  }
}

} // namespace

} // namespace harmony::test
