// The unit harmony-pgguard@.service: what only a service manager can do for the guard.

#include <csignal>
#include <filesystem>

#include "guard/system.hpp"
#include "integration/guard/postgres_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using guard::boot_now;

const std::string unit = "harmony-pgguard@test.service";

std::string property(const std::string& name) {
  return must("systemctl show --value -p " + name + " " + unit);
}

/// The installed unit with an instance of its own.
class installed_guard {
public:
  installed_guard() {
    must("install -D -m 755 " HARMONY_PGGUARD " /usr/bin/harmony-pgguard && "
         "install -D -m 644 " HARMONY_UNITS "/harmony-pgguard@.service -t /etc/systemd/system && "
         "install -d /etc/harmony-agent/pgguard");
    write_file("/etc/harmony-agent/pgguard/test.conf",
               "HARMONY_PGGUARD_DATA_DIR=" + bed.data()
                 + "\nPOSTGRES_OPTIONS=-c listen_addresses= -c unix_socket_directories="
                 + bed.file("sockets").string() + "\n");
    // Shorter than in the unit, whose own is a property that a test looks at. The sanitizers'
    // search for leaks needs ptrace, which the unit has not; integration_guard has it.
    write_file("/etc/systemd/system/harmony-pgguard@.service.d/test.conf",
               "[Service]\nWatchdogSec=2\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n");
    const auto said = shell("systemctl daemon-reload; systemctl start " + unit);
    INFO(said << "\n" << log());
    REQUIRE(property("ActiveState") == "active");
  }
  ~installed_guard() { shell("systemctl stop " + unit); }
  installed_guard(const installed_guard&) = delete;
  installed_guard& operator=(const installed_guard&) = delete;

  static std::string log() { return shell("journalctl --no-pager -n 50 -u " + unit); }
  static guard::client agent() {
    auto made = guard::client::connect("/run/harmony-pgguard/test/guard.sock", in(5s));
    INFO((made ? std::string{} : made.error().message));
    REQUIRE(made);
    return std::move(*made);
  }
  /// Of the guard's two processes.
  static pid_t backstop() { return std::stoi(property("MainPID")); }
  static pid_t keeper() {
    return std::stoi(must("pgrep -P " + std::to_string(backstop()) + " harmony-pgguard"));
  }
  /// Waits until another life of it takes agents.
  static bool restarted_from(pid_t old) {
    return eventually([&] { return property("ActiveState") == "active" && backstop() != old; },
                      20s);
  }

  postgres_bed bed;
};

TEST_CASE("guard unit: started -> READY, and PostgreSQL in a cgroup of its own, killed by that") {
  const installed_guard g;
  auto agent = g.agent();
  const auto deadline = g.bed.start_primary(agent, 4s);
  INFO(g.log());
  CHECK_THAT(g.log(), Catch::Matchers::Contains("kills by cgroup"));
  const auto postmaster = agent.call(guard::status{}, in(1s))->pid;
  const auto in_cgroup = must("cat /proc/" + std::to_string(postmaster) + "/cgroup");
  CHECK_THAT(in_cgroup, Catch::Matchers::Contains("harmony-pgguard@test.service/postgres"));
  auto s = g.bed.connect();
  const auto backend = std::stoi(s.ask("SELECT pg_backend_pid()").value_or("0"));
  CHECK(must("ps -o user= -p " + std::to_string(backend)) == "postgres");
  CHECK(must("cat /proc/" + std::to_string(backend) + "/oom_score_adj") == "0");
  CHECK(property("OOMScoreAdjust") == "-1000"); // not every test machine lets it have that
  CHECK(g.bed.gone_by(deadline + kill_budget));
  CHECK(boot_now() >= deadline);
}

TEST_CASE(
  "guard unit: both processes of the guard killed -> PostgreSQL is, too, and it starts anew") {
  const installed_guard g;
  auto agent = g.agent();
  g.bed.start_primary(agent, 60s);
  const busy_backend busy{g.bed};
  const auto backstop = g.backstop();
  const auto keeper = g.keeper();
  ::kill(backstop, SIGSTOP); // so that it does nothing before it dies
  ::kill(keeper, SIGKILL);
  ::kill(backstop, SIGKILL);
  CHECK(g.bed.gone_by(in(1s)));
  CHECK(g.restarted_from(backstop));
  CHECK(g.agent().hello().deadline == 0ns);
}

TEST_CASE("guard unit: both processes of the guard frozen -> the watchdog ends all") {
  const installed_guard g;
  auto agent = g.agent();
  g.bed.start_primary(agent, 60s);
  const busy_backend busy{g.bed};
  const auto backstop = g.backstop();
  ::kill(g.keeper(), SIGSTOP);
  ::kill(backstop, SIGSTOP);
  CHECK(g.bed.gone_by(in(2s + 1s)));
  CHECK(g.restarted_from(backstop));
}

TEST_CASE("guard unit: alive for longer than the watchdog waits -> stays") {
  const installed_guard g;
  const auto backstop = g.backstop();
  const auto then = in(3s);
  REQUIRE(eventually([&] { return boot_now() > then; }, 10s));
  CHECK(g.backstop() == backstop);
  CHECK(property("NRestarts") == "0");
}

TEST_CASE("guard unit: stopped -> PostgreSQL stops in order first") {
  const installed_guard g;
  auto agent = g.agent();
  g.bed.start_primary(agent, 60s);
  must("systemctl stop " + unit);
  CHECK(g.bed.servers().empty());
  CHECK_THAT(must(postgres_programs() + "/pg_controldata " + g.bed.data()),
             Catch::Matchers::Contains("shut down\n"));
  CHECK(std::filesystem::exists(g.bed.data() + "/standby.signal"));
  INFO(installed_guard::log());
  CHECK(property("Result") == "success");
}

} // namespace

} // namespace harmony::test
