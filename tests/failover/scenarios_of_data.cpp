// Data that went astray, and come back.

#include <algorithm>
#include <csignal>

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

/// Writes that no other member has.
void write_extra(const bed_member& m) {
  REQUIRE(m.ask("CREATE TABLE extra AS SELECT generate_series(1, 50000) AS id").has_value());
}

bool has_extra(const bed_member& m) {
  return m.ask("SELECT to_regclass('extra') IS NOT NULL") == "t";
}

/// The primary goes astray: it writes what the others do not get, loses its power, and another
/// takes over.
bed_member& strand(cluster_bed& bed, bed_member& old) {
  close_door(old, true);
  const auto others = others_than(bed, old);
  const bool alone = eventually(
    [&] {
      return std::all_of(others.begin(), others.end(), [](const auto* m) {
        return m->ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
               == "0";
      });
    },
    20s);
  INFO((alone ? "" : bed.story()));
  REQUIRE(alone);
  write_extra(old);
  old.cut_power();
  open_door(old);
  return bed.await_primary(&old);
}

bool streams(cluster_bed& bed, const bed_member& m) {
  const auto* p = bed.primary();
  return p != nullptr
         && m.ask("SELECT sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'")
              == std::to_string(p->public_port());
}

void promoted_by_hand(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  auto& strayed = standby_of(bed, old);
  const auto folder = strayed.folder_of_data();
  clients.spare(strayed); // it is writable for a moment, by no doing of the protocol
  pg_client client{strayed.conninfo()};
  const auto promoted = client.ask("SELECT pg_promote(false)", 10s);
  INFO(promoted.text);
  REQUIRE(promoted.ok);
  (void)client.value("CREATE TABLE extra (id bigint)");
  const bool strays = eventually(
    [&] { return strayed.guard_log().find("selected new timeline ID: ") != std::string::npos; },
    10s);
  INFO(strayed.guard_log() << strayed.agent_log());
  CHECK(strays);
  client.disconnect();
  CHECK(eventually([&] { return !has_extra(strayed) && streams(bed, strayed); }, 60s));
  CHECK(strayed.folder_of_data() == folder); // rewound, and not cloned
  CHECK(&bed.await_primary() == &old);
  clients.next_after(boottime_now());
}

void extra_writes_are_rewound(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto folder = old.folder_of_data();
  strand(bed, old);
  clients.next_after(boottime_now());
  old.restore_power();
  bed.await_whole();
  CHECK_FALSE(has_extra(old));
  CHECK(old.folder_of_data() == folder);
}

/// The new primary's checkpointer is stopped, so that its control file stays on the old timeline.
void rewind_waits_for_checkpoint(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto folder = old.folder_of_data();
  std::map<const bed_member*, pid_t> checkpointers;
  for (const auto* each : others_than(bed, old))
    checkpointers[each] = each->signal_backend("checkpointer", SIGSTOP);
  const auto& now = strand(bed, old);
  for (const auto& [member, pid] : checkpointers)
    if (member != &now)
      ::kill(pid, SIGCONT);
  old.restore_power();
  await_words(bed, old, "rejoining");
  CHECK_FALSE(
    eventually([&] { return bed.words_of(old).find("rewinding") != std::string::npos; }, 3s));
  CHECK(has_extra(old)); // nothing was done yet
  CHECK(now.ask("SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint()")
        != timeline_of(now));
  ::kill(checkpointers[&now], SIGCONT);
  bed.await_whole();
  CHECK_FALSE(has_extra(old));
  CHECK(old.folder_of_data() == folder);
  clients.next_after(boottime_now());
}

void source_of_rewind_killed(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto folder = old.folder_of_data();
  auto& source = strand(bed, old);
  source.to_postgres().delay(100ms);
  old.restore_power();
  const auto rewinds = "pgrep -f -- 'pg_rewind .*--target-pgdata=" + old.data() + "'";
  REQUIRE(eventually([&] { return !shell(rewinds).empty(); }, 30s));
  source.cut_power();
  source.to_postgres().delay(0ms);
  CHECK(&bed.await_primary() != &old);
  clients.next_after(boottime_now());
  bed.await_whole(1);
  CHECK_FALSE(has_extra(old));
  CHECK(old.folder_of_data() != folder); // cloned
  source.restore_power();
}

void other_parameters(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto started = old.ask("SELECT pg_postmaster_start_time()");
  const auto given = bed.how();
  auto how = given;
  how.more = R"(,"parameters":{"work_mem":"5MB"})";
  bed.apply(how);
  for (std::size_t i = 0; i < bed.size(); ++i)
    CHECK(eventually([&] { return bed[i].ask("SHOW work_mem") == "5MB"; }, 20s));
  clients.next_after(boottime_now());
  CHECK(&bed.await_primary() == &old);
  CHECK(old.ask("SELECT pg_postmaster_start_time()") == started);
  bed.apply(given);
}

} // namespace

std::vector<scenario> scenarios_of_data() {
  return {
    {"other parameters", "in force in all members; PostgreSQL goes on", "async", false,
     other_parameters},
    {"15: a standby promoted by hand", "stopped and rewound", "async", false, promoted_by_hand},
    {"16: the old primary has writes that nobody else has", "rewound, and not cloned", "async",
     false, extra_writes_are_rewound},
    {"17: the new primary's checkpoint is late", "no rewind before it", "async", false,
     rewind_waits_for_checkpoint},
    {"18: the source of a rewind is killed", "cloned from the next primary", "async", false,
     source_of_rewind_killed},
  };
}

} // namespace harmony::test
