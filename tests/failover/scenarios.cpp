#include "failover/scenarios.hpp"

#include <csignal>

#include "failover/mailbox.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;

namespace {

void ctl_ok(const cluster_bed& bed, std::vector<std::string> words) {
  words.insert(words.begin(), "failover");
  const auto done = bed.ctl(words);
  INFO(done.out << done.err);
  REQUIRE(done.code == 0);
}

bed_member& standby_of(cluster_bed& bed, const bed_member& primary) {
  for (std::size_t i = 0; i < bed.size(); ++i)
    if (&bed[i] != &primary)
      return bed[i];
  FAIL("there is no standby");
  return bed[0];
}

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
  std::vector<bed_member*> others;
  for (std::size_t i = 0; i < bed.size(); ++i)
    if (&bed[i] != &old)
      others.push_back(&bed[i]);
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

} // namespace

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> all{
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
  };
  return all;
}

void run(const scenario& what, cluster_bed& bed) {
  INFO("scenario: " << what.name << "; " << what.invariant);
  bed.await_whole();
  load clients{bed};
  clients.next_after(boottime_now());
  what.run(bed, clients);
  bed.await_primary();
  bed.await_whole();
  clients.next_after(boottime_now());
  clients.stop();
  INFO(bed.story());
  CHECK(clients.two_writable().empty());
  const auto lost = clients.lost();
  if (std::string{what.mode} != "async")
    CHECK(lost == 0);
}

} // namespace harmony::test
