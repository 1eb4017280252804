// The guard itself is killed or stopped: no writable PostgreSQL is left.

#include <csignal>

#include "guard/system.hpp"
#include "integration/guard/postgres_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using guard::boot_now;

TEST_CASE("guard: its keeper killed, with a backend that never listens -> all killed at once") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  const busy_backend busy{bed};
  ::kill(bed.keeper(), SIGKILL);
  CHECK(bed.gone_by(in(kill_budget)));
  CHECK(bed.guard().ended(5s));
  CHECK(bed.guard().wait().code == 1);
  CHECK_FALSE(agent.call(guard::status{}, in(1s)));
}

TEST_CASE("guard: its backstop killed -> the keeper stops PostgreSQL and ends") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  const auto keeper = bed.keeper();
  bed.guard().signal(SIGKILL);
  CHECK(bed.gone_by(in(10s)));
  CHECK(eventually([&] { return ::kill(keeper, 0) != 0; }, 10s));
}

TEST_CASE("guard: its keeper stopped -> the backstop kills at the deadline") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto deadline = bed.start_primary(agent, 2500ms);
  writer w{bed};
  ::kill(bed.keeper(), SIGSTOP);
  CHECK(bed.gone_by(deadline + guard::backstop_grace + kill_budget));
  CHECK(boot_now() >= deadline);
  REQUIRE(w.ended());
  CHECK(w.last() <= deadline + guard::backstop_grace + kill_budget);
  CHECK(bed.guard().wait().code == 1);
}

TEST_CASE("guard: its keeper stopped while a standby runs -> left alone") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_standby(agent);
  const auto deadline = in(1s);
  REQUIRE(agent.call(guard::arm{1, deadline}, in(1s)));
  const auto keeper = bed.keeper();
  ::kill(keeper, SIGSTOP);
  REQUIRE(eventually([&] { return boot_now() > deadline + kill_budget; }, 5s));
  CHECK(bed.connect().ask("SELECT pg_is_in_recovery()") == "t");
  ::kill(keeper, SIGCONT);
  CHECK(agent.call(guard::status{}, in(1s)));
}

TEST_CASE(
  "guard: both of its processes killed -> the postmaster dies, the next guard kills the rest") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  bed.start_primary(agent, 60s);
  const busy_backend busy{bed};
  const auto postmaster = agent.call(guard::status{}, in(1s))->pid;
  const auto keeper = bed.keeper();
  bed.guard().signal(SIGSTOP); // so that it does nothing before it dies
  ::kill(keeper, SIGKILL);
  bed.guard().signal(SIGKILL);
  CHECK(eventually([&] { return ::kill(postmaster, 0) != 0; }, 2s));
  CHECK_FALSE(bed.servers().empty()); // why a service manager kills the whole cgroup
  bed.start_guard();
  CHECK(bed.servers().empty());
  auto next = bed.agent();
  bed.start_standby(next);
}

} // namespace

} // namespace harmony::test
