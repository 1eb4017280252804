// Who takes over, and who must not.

#include <csignal>

#include "failover/mailbox.hpp"
#include "failover/scenario_parts.hpp"
#include "failover/scenarios.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;

namespace {

/// Log that 16 MiB, the default of maxLag, do not hold.
void write_much(const bed_member& primary) {
  pg_client client{primary.conninfo()};
  REQUIRE(client.value("CREATE TABLE IF NOT EXISTS much (filling text)").has_value());
  REQUIRE(
    client
      .value("INSERT INTO much SELECT repeat(md5(i::text), 32) FROM generate_series(1, 40000) i",
             30s)
      .has_value());
}

/// The primary alone has a shut door behind which the log grows; these were away before.
void fall_behind(bed_member& primary, const std::vector<bed_member*>& laggards) {
  for (auto* each : laggards)
    each->cut_power();
  close_door(primary, false);
  for (auto* each : laggards)
    each->restore_power();
  write_much(primary);
}

void nobody_takes_over(cluster_bed& bed) {
  CHECK_FALSE(eventually([&] { return bed.primary() != nullptr; }, 6s));
}

/// The survivor cannot know whether it has what was acknowledged.
void only_by_order(cluster_bed& bed, load& clients, const char* refusal) {
  auto& old = bed.await_primary();
  const auto set = bed.lease_status().at("lease").at("sync").at("members");
  REQUIRE_FALSE(set.empty());
  auto others = others_than(bed, old);
  if (others[0]->name() != set.at(0).get<std::string>())
    std::swap(others[0], others[1]);
  auto& second = *others[0];
  auto& survivor = *others[1];
  old.cut_power();
  second.cut_power();
  await_words(bed, survivor, refusal);
  nobody_takes_over(bed);
  ctl_ok(bed,
         {"failover", "main", "--to", survivor.name(), "--allow-data-loss", "--yes", "--wait"});
  CHECK(&bed.await_primary() == &survivor);
  const auto status = bed.lease_status();
  CHECK(status.at("lease").at("holder") == survivor.name());
  old.restore_power();
  second.restore_power();
  clients.next_after(boottime_now());
}

void only_by_order_of_strict(cluster_bed& bed, load& clients) {
  only_by_order(bed, clients, "NotAMember");
}

void only_by_order_of_quorum(cluster_bed& bed, load& clients) {
  only_by_order(bed, clients, "QuorumMissing");
}

void most_advanced_wins(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old); // the first would win by its name
  fall_behind(old, {others[0]});
  REQUIRE(eventually(
    [&] { return bed.words_of(*others[0]).find("MiB behind") != std::string::npos; }, 20s));
  const auto then = boottime_now();
  old.cut_power();
  CHECK(&bed.await_primary(&old) == others[1]);
  CHECK(clients.next_after(then) < 20s);
  open_door(old);
  old.restore_power();
}

void lag_over_the_limit(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old);
  fall_behind(old, others);
  for (const auto* each : others)
    await_words(bed, *each, "MiB behind");
  old.cut_power();
  for (const auto* each : others)
    await_words(bed, *each, "LagTooLarge");
  nobody_takes_over(bed);
  open_door(old);
  old.restore_power();
  CHECK(&bed.await_primary() == &old);
  clients.next_after(boottime_now());
  CHECK(clients.lost() == 0);
}

/// Replay is held up, which holds up the promotion for a second.
void chosen_standby_dies(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old);
  std::map<const bed_member*, pid_t> replaying;
  for (const auto* each : others)
    replaying[each] = each->signal_backend("startup", SIGSTOP);
  old.cut_power();
  nlohmann::json lease;
  const bool promoting = eventually(
    [&] {
      lease = bed.lease_status().at("lease");
      return lease.at("state") == "promoting";
    },
    20s);
  INFO(bed.story());
  REQUIRE(promoting);
  auto& chosen = *others[lease.at("holder") == others[0]->name() ? 0 : 1];
  auto& other = *others[&chosen == others[0] ? 1 : 0];
  chosen.cut_power();
  ::kill(replaying[&other], SIGCONT);
  CHECK(&bed.await_primary() == &other);
  clients.next_after(boottime_now());
  chosen.restore_power();
  old.restore_power();
}

void priority_zero(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  const auto others = others_than(bed, old);
  auto& never = *others[0]; // would win by its name
  never.specify(R"(,"priority":0)");
  bed.apply();
  const auto then = boottime_now();
  old.cut_power();
  CHECK(&bed.await_primary(&old) == others[1]);
  CHECK(clients.next_after(then) < 20s);
  bed.await_whole(1);
  others[1]->cut_power();
  await_words(bed, never, "PriorityZero");
  nobody_takes_over(bed);
  others[1]->restore_power();
  old.restore_power();
  CHECK(&bed.await_primary() != &never);
  never.specify("");
  bed.await_whole();
  bed.apply();
}

} // namespace

std::vector<scenario> scenarios_of_elections() {
  return {
    {"11: primary and synchronous standby killed (strict)",
     "NotAMember: the survivor takes over by order only", "strict", false, only_by_order_of_strict,
     "", true},
    {"11: primary and a standby killed (quorum)",
     "QuorumMissing: the survivor takes over by order only", "quorum", false,
     only_by_order_of_quorum, "", true},
    {"12: one standby lags", "the most advanced takes over", "async", false, most_advanced_wins},
    {"13: all standbys lag by more than maxLag", "LagTooLarge: nobody but the old one", "async",
     false, lag_over_the_limit},
    {"14: the chosen standby dies before it is promoted", "the other one takes over", "async",
     false, chosen_standby_dies},
    {"20: priority 0", "PriorityZero: never promoted", "async", false, priority_zero},
  };
}

} // namespace harmony::test
