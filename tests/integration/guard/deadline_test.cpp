// At its deadline a primary is killed, whatever became of its agent.

#include <csignal>
#include <new>

#include <sys/mman.h>
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
using guard::boot_now;
using guard::phase;
using guard::report;

/// An agent that holds its lease: it arms for 800 ms, every 100 ms, and can be killed and stopped.
class holder {
public:
  holder(const postgres_bed& bed, bool primary)
    : process_([this, socket = bed.socket(), primary] { hold(socket, primary); }) {}
  ~holder() { ::munmap(armed_, sizeof *armed_); }
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;

  void signal(int number) const { process_.signal(number); }
  /// The latest deadline that it may have handed to the guard.
  [[nodiscard]] guard::boot_time deadline() const { return guard::boot_time{*armed_}; }

private:
  guard::arm next(std::chrono::milliseconds lease) const {
    *armed_ = in(lease).count();
    return {1, guard::boot_time{*armed_}};
  }

  void hold(const std::string& socket, bool primary) const {
    auto agent = guard::client::connect(socket, in(5s));
    bool fine = agent && agent->call(next(3s), in(1s)) && agent->call(guard::start{primary}, in(5s))
                && agent->call(next(3s), in(1s));
    for (; fine; ::usleep(100'000))
      if (in(800ms).count() > *armed_)
        fine = agent->call(next(800ms), in(1s)).ok();
    ::_exit(1);
  }

  std::atomic<std::int64_t>* armed_ =
    new (::mmap(nullptr, sizeof *armed_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
      std::atomic<std::int64_t>;
  other_process process_;
};

void check_fenced(postgres_bed& bed, const writer& w, guard::boot_time deadline) {
  CHECK(bed.gone_by(deadline + kill_budget));
  CHECK(boot_now() >= deadline);
  REQUIRE(w.ended());
  CHECK(w.last() <= deadline + kill_budget);
  CHECK(w.acknowledged() > 10);
  CHECK(eventually([&] { return std::filesystem::exists(bed.data() + "/standby.signal"); }, 5s));
}

TEST_CASE(
  "guard: deadline with a writing session -> killed then, and every acknowledged row kept") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto deadline = bed.start_primary(agent, 2500ms);
  writer w{bed};
  check_fenced(bed, w, deadline);
  const auto killing = agent.next(in(5s));
  REQUIRE((killing && *killing));
  CHECK((*killing)->now == phase::killing);
  const auto gone = agent.next(in(5s));
  REQUIRE((gone && *gone));
  CHECK((*gone)->now == phase::stopped);
  CHECK((*gone)->ended == guard::ending::deadline);
  CHECK_THAT((*gone)->text, Catch::Matchers::Contains("after its deadline"));
  bed.start_standby(agent);
  CHECK(std::stoi(bed.connect().ask("SELECT count(*) FROM t").value_or("0")) >= w.acknowledged());
}

TEST_CASE("guard: lease renewed in time -> the primary lives on") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto first = bed.start_primary(agent, 2s);
  auto open = bed.connect();
  guard::boot_time deadline{};
  REQUIRE(eventually(
    [&] {
      deadline = in(1s);
      const auto r = agent.call(guard::arm{1, deadline}, in(1s));
      CHECK((r && r->now == phase::primary));
      return boot_now() > first + 500ms;
    },
    10s));
  CHECK(open.ask("INSERT INTO t VALUES (2)"));
  CHECK(bed.gone_by(deadline + kill_budget));
}

TEST_CASE("guard: agent killed or stopped -> the deadline stands") {
  const auto signal = GENERATE(SIGKILL, SIGSTOP);
  INFO("signal " << signal);
  postgres_bed bed;
  bed.start_guard();
  const holder agent{bed, true};
  auto s = bed.connect();
  REQUIRE(s.ask("CREATE TABLE t (n int)"));
  writer w{bed};
  REQUIRE(eventually([&] { return w.acknowledged() > 10; }, 10s));
  agent.signal(signal);
  const auto deadline = agent.deadline();
  CHECK(bed.servers().size() > 1);
  check_fenced(bed, w, deadline);
}

TEST_CASE("guard: agent of a standby killed -> the standby runs on, for the next agent") {
  postgres_bed bed;
  bed.start_guard();
  const holder agent{bed, false};
  auto open = bed.connect();
  agent.signal(SIGKILL);
  REQUIRE(eventually([&] { return boot_now() > agent.deadline() + kill_budget; }, 10s));
  CHECK(open.ask("SELECT pg_is_in_recovery()") == "t");
  auto next = bed.agent();
  CHECK(next.hello().now == phase::standby);
  CHECK(next.call(guard::promote{}, in(1s))->why == guard::refusal::no_lease);
}

TEST_CASE("guard: processes that left PostgreSQL's groups -> killed at the deadline, too") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto deadline = bed.start_primary(agent, 2500ms);
  const auto note = bed.file("sockets") / "escaped";
  auto s = bed.connect();
  REQUIRE(s.ask("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; setsid setsid sh -c ''echo $$ >"
                + note.string() + "; exec sleep 1000'' >/dev/null 2>&1 &'"));
  REQUIRE(eventually([&] { return succeeds("test -s " + note.string()); }, 2s));
  const auto escaped = std::stoi(read_file(note));
  CHECK(::kill(escaped, 0) == 0);
  CHECK(bed.gone_by(deadline + kill_budget));
  CHECK(eventually([&] { return ::kill(escaped, 0) != 0; }, 1s));
}

TEST_CASE("guard: fast stop that cannot end -> killed at the deadline") {
  postgres_bed bed;
  bed.start_guard();
  auto agent = bed.agent();
  const auto deadline = bed.start_primary(agent, 2500ms);
  auto s = bed.connect();
  const auto backend = s.ask("SELECT pg_backend_pid()");
  REQUIRE(backend);
  ::kill(std::stoi(*backend), SIGSTOP);
  const auto r = agent.call(guard::stop{}, in(1s));
  CHECK((r && r->now == phase::stopping));
  CHECK(bed.gone_by(deadline + kill_budget));
  CHECK(boot_now() >= deadline);
}

TEST_CASE("guard: the host's time is set while a lease runs -> no effect") {
  const auto library = shell("find /usr/lib -name libfaketimeMT.so.1 | head -n 1");
  REQUIRE(!library.empty());
  postgres_bed bed;
  const auto clock = bed.file("clock");
  write_file(clock, "+0");
  must("chmod 644 " + clock.string());
  bed.start_guard({}, {{"ASAN_OPTIONS", "verify_asan_link_order=0"},
                       {"LD_PRELOAD", library},
                       {"FAKETIME_NO_CACHE", "1"},
                       {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                       {"FAKETIME_TIMESTAMP_FILE", clock}});
  auto agent = bed.agent();
  const auto deadline = bed.start_primary(agent, 3s);
  auto s = bed.connect();
  for (const auto* step : {"+1h", "-2h"}) {
    write_file(clock, step);
    CHECK(s.ask("INSERT INTO t VALUES (3)"));
    CHECK(agent.call(guard::status{}, in(1s))->now == phase::primary);
  }
  CHECK(bed.gone_by(deadline + kill_budget));
  CHECK(boot_now() >= deadline);
}

} // namespace

} // namespace harmony::test
