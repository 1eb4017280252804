// Faults of one process or link, and the orders of an operator.

#include "failover/mailbox.hpp"
#include "failover/scenario_parts.hpp"
#include "failover/scenarios.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;

namespace {

void power_of_primary(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto then = boottime_now();
  old.cut_power();
  CHECK(clients.next_after(then) < 20s);
  bed.await_whole(1);
  old.restore_power();
}

void agent_of_primary_killed(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto then = boottime_now();
  old.kill_agent();
  CHECK(&bed.await_primary(&old) != &old);
  CHECK(clients.next_after(then) < 20s);
  old.start_agent();
}

void agent_of_primary_frozen(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  old.freeze_agent();
  bed.await_primary(&old);
  CHECK(old.servers().empty()); // the guard has killed it
  clients.next_after(boottime_now());
  old.thaw_agent();
}

void agent_and_postgres_frozen(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  old.freeze_agent();
  old.freeze_postgres();
  bed.await_primary(&old);
  clients.next_after(boottime_now());
  old.thaw_postgres();
  old.thaw_agent();
}

void postgres_of_primary_killed(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto then = boottime_now();
  old.kill_postmaster();
  CHECK(clients.next_after(then) < 20s);
  CHECK(&bed.await_primary() != &old);
}

void switchover(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  ctl_ok(bed, {"switchover", "main", "--wait"});
  auto& now = bed.await_primary(&old);
  clients.next_after(boottime_now());
  bed.await_whole();
  ctl_ok(bed, {"switchover", "main", "--to", old.name(), "--wait"});
  CHECK(&bed.await_primary(&now) == &old);
  clients.next_after(boottime_now());
}

void switchover_to_nobody(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto refused = bed.ctl({"failover", "switchover", "main", "--to", "nobody", "--wait"});
  INFO(refused.out << refused.err);
  CHECK(refused.code != 0);
  CHECK(&bed.await_primary() == &old);
  clients.next_after(boottime_now());
}

void agent_of_primary_ends(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto then = boottime_now();
  old.stop_agent();
  CHECK(clients.next_after(then) < 20s);
  CHECK(&bed.await_primary(&old) != &old);
  old.start_agent();
}

void agent_of_primary_starts_again(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  old.kill_agent();
  old.start_agent(); // within the lease
  clients.next_after(boottime_now() + 4s);
  CHECK(&bed.await_primary() == &old);
}

void store_restarts(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  bed.server().kill();
  bed.server().start();
  clients.next_after(boottime_now() + 4s);
  CHECK(&bed.await_primary() == &old);
}

void store_is_away(cluster_bed& bed, load& clients) {
  bed.server().kill();
  const bool read_only = eventually([&] { return bed.primary() == nullptr; }, 10s);
  CHECK(read_only);
  bed.server().start();
  clients.next_after(boottime_now());
}

void primary_cut_from_store(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  old.to_store().hang_handshakes(true);
  old.to_store().forget();
  bed.await_primary(&old);
  clients.next_after(boottime_now());
  old.to_store().hang_handshakes(false);
  old.to_store().cut();
}

void standby_link_cut(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  old.to_postgres().cut();
  clients.next_after(boottime_now() + 4s);
  CHECK(&bed.await_primary() == &old);
}

void paused(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  ctl_ok(bed, {"pause", "main", "--wait"});
  old.kill_postmaster();
  CHECK_FALSE(eventually([&] { return bed.primary() != nullptr && bed.primary() != &old; }, 6s));
  ctl_ok(bed, {"resume", "main", "--wait"});
  clients.next_after(boottime_now());
}

void last_standby_of_strict(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old);
  for (auto* each : others)
    each->cut_power();
  const auto alone = boottime_now() + 1s;
  std::this_thread::sleep_for(4s);
  for (const auto& a : clients.answers())
    CHECK(a.sent < alone); // nobody has it but the primary: it is not acknowledged
  for (auto* each : others)
    each->restore_power();
  clients.next_after(boottime_now());
}

void standby_dies(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  auto& other = standby_of(bed, old);
  other.cut_power();
  clients.next_after(boottime_now() + 1s);
  CHECK(&bed.await_primary() == &old);
  other.restore_power();
}

void postgres_starts_in_place(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto timeline = timeline_of(old);
  const auto then = boottime_now();
  old.kill_postmaster();
  CHECK(clients.next_after(then) < 20s);
  CHECK(&bed.await_primary() == &old);
  CHECK(timeline_of(old) == timeline);
}

void postgres_cannot_start(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  must("chmod 777 " + old.data()); // PostgreSQL refuses such data at its start
  const auto then = boottime_now();
  old.kill_postmaster();
  bed.await_primary(&old);
  CHECK(clients.next_after(then) < 20s);
  must("chmod 700 " + old.data());
}

/// The guard and the agent are at fault at once: nobody ends the old primary.
void standby_still_receives(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old);
  old.freeze_agent();
  old.freeze_guard();
  for (const auto* each : others)
    CHECK(eventually(
      [&] {
        return each->agent_log().find("The old primary still sends its log") != std::string::npos;
      },
      20s));
  const auto then = boottime_now();
  CHECK_FALSE(eventually([&] { return bed.primary() != &old; }, 6s));
  CHECK(clients.next_after(then) < 6s); // by the old one
  old.thaw_guard();
  bed.await_primary(&old);
  clients.next_after(boottime_now());
  old.thaw_agent();
}

/// Needs libfaketime.
void wall_clocks_are_wrong(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto library = shell("find /usr/lib -name libfaketimeMT.so.1 | head -n 1");
  REQUIRE_FALSE(library.empty());
  const auto others = others_than(bed, old);
  const auto wrong_by = [&](bed_member& m, const char* offset) {
    m.kill_agent();
    m.start_agent({{"ASAN_OPTIONS", "verify_asan_link_order=0"},
                   {"LD_PRELOAD", library},
                   {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                   {"FAKETIME", offset}});
  };
  wrong_by(old, "+1h");
  wrong_by(*others[0], "-1h");
  const auto timeline = timeline_of(old);
  clients.next_after(boottime_now() + 8s);
  CHECK(&bed.await_primary() == &old);
  CHECK(timeline_of(old) == timeline);
  const auto then = boottime_now();
  old.cut_power();
  CHECK(clients.next_after(then) < 20s);
  old.restore_power();
}

} // namespace

std::vector<scenario> scenarios_of_processes() {
  return {
    {"power of the primary is cut", "another takes over; the old one comes back as its standby",
     "async", true, power_of_primary},
    {"power of the primary is cut (strict)", "nothing acknowledged is lost", "strict", true,
     power_of_primary},
    {"power of the primary is cut (quorum)", "nothing acknowledged is lost", "quorum", false,
     power_of_primary},
    {"agent of the primary killed", "the guard ends its PostgreSQL", "async", true,
     agent_of_primary_killed},
    {"agent of the primary frozen", "the guard ends its PostgreSQL before another is writable",
     "async", true, agent_of_primary_frozen},
    {"agent and PostgreSQL frozen, then thawed", "the old one acknowledges nothing more", "async",
     true, agent_and_postgres_frozen},
    {"agent and PostgreSQL frozen, then thawed (strict)", "the old one acknowledges nothing more",
     "strict", false, agent_and_postgres_frozen},
    {"PostgreSQL of the primary killed", "a standby takes over at once", "async", true,
     postgres_of_primary_killed},
    {"switchover, to the best and to a named member", "nobody but the named member", "async", true,
     switchover},
    {"switchover (strict)", "nothing acknowledged is lost", "strict", false, switchover},
    {"switchover to nobody", "the primary stays", "async", true, switchover_to_nobody},
    {"agent of the primary ends in order", "it hands over at once", "async", true,
     agent_of_primary_ends},
    {"agent of the primary is started again at once", "the same primary, without an interruption",
     "async", true, agent_of_primary_starts_again},
    {"store restarts", "the same primary", "async", true, store_restarts},
    {"store is away", "read-only by the deadline; a primary again when it is back", "async", false,
     store_is_away},
    {"primary is cut from the store", "it ends before another is writable", "async", false,
     primary_cut_from_store},
    {"standbys lose the primary, which has the store", "no failover", "async", false,
     standby_link_cut},
    {"paused", "nobody takes over before the resume", "async", false, paused},
    {"last standbys die (strict)", "writes wait, and go on when one is back", "strict", false,
     last_standby_of_strict},
    {"a standby dies (strict)", "writes go on by the other one", "strict", false, standby_dies},
    {"1: PostgreSQL of the primary killed, may start in place", "the same primary and timeline",
     "async", false, postgres_starts_in_place, R"(,"restartSeconds":20)"},
    {"3: PostgreSQL of the primary killed, cannot start in place", "it hands over", "async", false,
     postgres_cannot_start, R"(,"restartSeconds":5)"},
    {"6: a standby still receives after the lease",
     "nobody is promoted before the old one is ended", "async", false, standby_still_receives},
    {"30: wall clocks are wrong by an hour", "no effect", "async", false, wall_clocks_are_wrong},
  };
}

} // namespace harmony::test
