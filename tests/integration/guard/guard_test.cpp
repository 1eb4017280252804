// Starting, stopping and promoting, and what the guard refuses.

#include <csignal>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "guard/system.hpp"
#include "integration/guard/postgres_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using guard::boot_now;
using guard::ending;
using guard::phase;
using guard::refusal;

guard::report ask(guard::client& agent, const guard::request& r) {
  auto answer = agent.call(r, in(10s));
  INFO((answer ? std::string{} : answer.error().message));
  REQUIRE(answer);
  return *answer;
}

/// The next report that PostgreSQL is gone.
guard::report gone(guard::client& agent) {
  const auto until = in(20s);
  for (;;) {
    const auto r = agent.next(until);
    REQUIRE((r && *r));
    if ((*r)->now == phase::stopped)
      return **r;
  }
}

bool has_signal_file(const postgres_bed& bed) {
  return std::filesystem::exists(bed.data() + "/standby.signal");
}

TEST_CASE("guard: start without a lease -> a standby only") {
  postgres_bed bed;
  bed.start_guard();
  CHECK(has_signal_file(bed)); // whoever starts this directory now starts a standby
  auto agent = bed.agent();
  CHECK(ask(agent, guard::start{true}).why == refusal::no_lease);
  CHECK(bed.servers().empty());
  bed.start_standby(agent);
  CHECK_FALSE(bed.connect().ask("CREATE TABLE t (n int)"));
  CHECK(ask(agent, guard::start{false}).why == refusal::running);
}

TEST_CASE("guard: fast stop -> stopped in order, and then released") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  CHECK_FALSE(has_signal_file(bed));
  CHECK(ask(agent, guard::release{}).why == refusal::writable);
  CHECK(ask(agent, guard::stop{}).now == phase::stopping);
  const auto r = gone(agent);
  CHECK(r.ended == ending::stopped);
  CHECK(r.code == 0);
  CHECK(has_signal_file(bed));
  CHECK(bed.servers().empty());
  CHECK(ask(agent, guard::release{}).deadline == 0ns);
  CHECK(ask(agent, guard::start{true}).why == refusal::no_lease);
}

TEST_CASE("guard: promoted through it -> a primary, killed at its deadline") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  CHECK(ask(agent, guard::promote{}).why == refusal::no_lease);
  const auto deadline = in(3s);
  ask(agent, guard::arm{1, deadline});
  CHECK(ask(agent, guard::promote{}).now == phase::primary);
  auto s = bed.connect();
  CHECK(eventually([&] { return s.ask("SELECT pg_is_in_recovery()") == "f"; }, 5s));
  CHECK(s.ask("CREATE TABLE t (n int)"));
  CHECK(bed.gone_by(deadline + kill_budget));
  CHECK(gone(agent).ended == ending::deadline);
}

TEST_CASE("guard: promoted while it still starts -> refused, and it stays a standby") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  ask(agent, guard::arm{1, in(60s)});
  ask(agent, guard::start{false});
  const auto r = ask(agent, guard::promote{}); // at once
  CHECK(r.why == refusal::cannot_start);
  CHECK_THAT(r.text, Contains("still starting"));
  CHECK(r.now == phase::standby);
  CHECK(bed.connect().ask("SELECT pg_is_in_recovery()") == "t");
}

TEST_CASE("guard: promoted by hand without a lease -> killed at once") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  const auto before = boot_now();
  bed.connect().ask("SELECT pg_promote()");
  CHECK(bed.gone_by(before + kill_budget));
  const auto r = gone(agent);
  CHECK(r.ended == ending::unlicensed);
  CHECK(has_signal_file(bed));
}

TEST_CASE("guard: a trigger of a promotion before is left over -> a standby that stays one") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  must("touch " + bed.data() + "/promote && chown --reference=" + bed.data() + " " + bed.data()
       + "/promote");
  bed.start_standby(agent);
  CHECK_FALSE(std::filesystem::exists(bed.data() + "/promote"));
  CHECK(ask(agent, guard::status{}).now == phase::standby);
  CHECK(bed.connect().ask("SELECT pg_is_in_recovery()") == "t");
}

TEST_CASE("guard: a configuration that names another directory -> the guarded one all the same") {
  postgres_bed bed;
  must("echo \"data_directory = '/nonexistent'\" >>" + bed.data() + "/postgresql.conf");
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  CHECK(bed.connect().ask("SHOW data_directory") == bed.data());
}

TEST_CASE("guard: promoted by hand within a lease -> held to that") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  const auto deadline = in(3s);
  ask(agent, guard::arm{1, deadline});
  CHECK(bed.connect().ask("SELECT pg_promote()") == "t");
  CHECK(ask(agent, guard::status{}).now == phase::primary);
  CHECK(bed.gone_by(deadline + kill_budget));
}

TEST_CASE("guard: postmaster killed -> its backends go, and it may start again within the lease") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  const busy_backend busy{bed};
  ::kill(ask(agent, guard::status{}).pid, SIGKILL);
  const auto r = gone(agent);
  CHECK(r.ended == ending::exited);
  CHECK(r.code == 128 + SIGKILL);
  CHECK(bed.servers().empty());
  CHECK(ask(agent, guard::start{true}).now == phase::primary);
  CHECK(bed.connect().ask("SELECT pg_is_in_recovery()") == "f");
}

TEST_CASE("guard: two agents -> the second is refused until the first is gone") {
  postgres_bed bed;
  bed.start_guard();
  {
    const auto first = bed.agent();
    const auto second = guard::client::connect(bed.socket(), in(5s));
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ec::name_conflict);
    CHECK_THAT(second.error().message, Contains("(pid " + std::to_string(::getpid()) + ")"));
  }
  CHECK(bed.agent().hello().now == phase::stopped);
}

TEST_CASE("guard: messages that are none -> refused, and the agent stays") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  for (const auto& bad :
       {std::string{"start"}, std::string(600, 'x'), std::string("arm 1 2\0", 8)}) {
    REQUIRE(::write(agent.fd(), bad.data(), bad.size()) > 0);
    const auto r = agent.next(in(5s));
    REQUIRE((r && *r));
    CHECK((*r)->why == refusal::unintelligible);
  }
  CHECK(ask(agent, guard::status{}).now == phase::stopped);
  CHECK(ask(agent, guard::arm{4, in(10min)}).why == refusal::too_far);
  CHECK(ask(agent, guard::arm{4, boot_now()}).why == refusal::past);
  CHECK(ask(agent, guard::arm{4, in(9s)}).epoch == 4);
  CHECK(ask(agent, guard::arm{3, in(20s)}).why == refusal::stale_epoch);
  CHECK(ask(agent, guard::arm{4, in(2s)}).why == refusal::not_later);
}

TEST_CASE("guard: a second one on the data directory or the socket -> ends, and says why") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  const auto same_socket = bed.guard_process()->wait();
  CHECK(same_socket.code == 1);
  CHECK_THAT(same_socket.err, Contains("another guard holds the data directory"));
  const auto other = bed.guard_process({"--socket", bed.file("other.sock").string()})->wait();
  CHECK(other.code == 1);
  CHECK_THAT(other.err, Contains("another guard holds the data directory '" + bed.data() + "'"));
  const auto elsewhere = bed.guard_process({"--data-dir", bed.file("none").string()})->wait();
  CHECK(elsewhere.code == 1);
  CHECK_THAT(elsewhere.err, Contains("another guard listens at '" + bed.socket() + "'"));
  CHECK(ask(agent, guard::status{}).now == phase::standby);
}

TEST_CASE("guard: a directory that PostgreSQL cannot run on -> refused with its own reason") {
  postgres_bed bed;
  std::vector<std::string> flags{"--bin-dir", postgres_programs()};
  std::string reason;
  SECTION("absent") {
    std::filesystem::rename(bed.data(), bed.file("away"));
    reason = "cannot be opened: No such file or directory";
  }
  SECTION("mode") {
    must("chmod 755 " + bed.data());
    reason = "has mode 0755";
  }
  SECTION("not initialised") {
    std::filesystem::remove(bed.data() + "/global/pg_control");
    reason = "has no 'global/pg_control'";
  }
  SECTION("half a copy") {
    std::filesystem::remove(bed.data() + "/PG_VERSION");
    reason = "has no 'PG_VERSION'";
  }
  SECTION("another version") {
    must("echo 12 >" + bed.data() + "/PG_VERSION");
    reason = "is of PostgreSQL 12, and '" + postgres_programs() + "/postgres' is of PostgreSQL";
  }
  SECTION("too old for standby.signal") {
    must("echo 9.6 >" + bed.data() + "/PG_VERSION");
    reason = "is of PostgreSQL '9.6', which knows no 'standby.signal'";
  }
  SECTION("no programs") {
    flags.back() = "/nonexistent";
    reason = "there is no '/nonexistent/postgres'";
  }
  bed.start_guard(flags);
  auto agent = bed.agent();
  const auto r = ask(agent, guard::start{false});
  CHECK(r.why == refusal::cannot_start);
  CHECK_THAT(r.text, Contains(reason));
  CHECK(r.now == phase::stopped);
  CHECK(bed.servers().empty());
}

TEST_CASE("guard: a directory of wrong owners -> refused with its own reason", "[root]") {
  postgres_bed bed;
  std::string reason;
  SECTION("root's") {
    must("chown root " + bed.data());
    reason = "belongs to root";
  }
  SECTION("of two users") {
    must("chown daemon " + bed.data());
    reason = "and what is in it to another";
  }
  bed.start_guard();
  auto agent = bed.agent();
  const auto r = ask(agent, guard::start{false});
  CHECK(r.why == refusal::cannot_start);
  CHECK_THAT(r.text, Contains(reason));
}

TEST_CASE("guard: a server that somebody else started -> left alone, and no second one") {
  postgres_bed bed;
  const auto ctl = postgres_programs() + "/pg_ctl -D " + bed.data() + " -w -l "
                   + (bed.file("sockets") / "log").string() + " -o \"-c listen_addresses= -k "
                   + bed.file("sockets").string() + "\" ";
  must(bed.as_owner(ctl + "start"));
  bed.start_guard();
  auto agent = bed.agent();
  auto s = bed.connect();
  ask(agent, guard::arm{1, in(60s)});
  const auto r = ask(agent, guard::start{true});
  CHECK(r.why == refusal::cannot_start);
  CHECK_THAT(r.text, Contains("and this guard did not start it"));
  CHECK(s.ask("CREATE TABLE t (n int)"));
  must(bed.as_owner(ctl + "-m fast stop"));
  CHECK(ask(agent, guard::start{true}).now == phase::primary);
}

TEST_CASE("guard: told to end -> stops PostgreSQL first") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  bed.guard().signal(SIGTERM);
  CHECK(gone(agent).code == 0);
  CHECK(bed.guard().ended(10s));
  CHECK(bed.servers().empty());
  CHECK_FALSE(std::filesystem::exists(bed.socket()));
}

} // namespace

} // namespace harmony::test
