// The store is away, forgets, or goes back; and two agents of one name.

#include "failover/mailbox.hpp"
#include "failover/scenario_parts.hpp"
#include "failover/scenarios.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

using namespace std::chrono_literals;
using failover::boottime_now;

namespace {

std::uint64_t epoch_of(const cluster_bed& bed) {
  const auto status = bed.lease_status();
  return status.is_object() && status.at("lease").is_object()
           ? status.at("lease").at("epoch").get<std::uint64_t>()
           : 0;
}

void standby_dies_without_store(cluster_bed& bed, load& clients) {
  auto& other = standby_of(bed, bed.await_primary());
  bed.server().kill();
  CHECK(eventually([&] { return bed.primary() == nullptr; }, 10s));
  other.cut_power();
  bed.server().start();
  clients.next_after(boottime_now());
  CHECK(&bed.await_primary() != &other);
  bed.await_whole(1);
  other.restore_power();
}

void second_of_a_name(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  auto& first = standby_of(bed, old);
  const auto second = bed.double_of(first);
  second->restore_power();
  CHECK(eventually(
    [&] {
      return second->agent_log().find("Another agent that is alive has this member's name")
             != std::string::npos;
    },
    30s));
  INFO(second->agent_log());
  CHECK(first.agent_log().find("Another agent that is alive") == std::string::npos);
  clients.next_after(boottime_now());
  CHECK(&bed.await_primary() == &old);
  bed.await_whole();
}

void lease_is_lost(cluster_bed& bed, load& clients) {
  const auto before = epoch_of(bed);
  bed.server().kill();
  bed.server().wipe("KV_PGHA_LEASE_main");
  bed.server().start();
  CHECK(eventually([&] { return epoch_of(bed) >= before; }, 20s));
  clients.next_after(boottime_now() + 4s);
}

/// It remembers the primary before, and not who came after.
void store_goes_back(cluster_bed& bed, load& clients) {
  auto& old = bed.await_primary();
  bed.server().stop();
  bed.server().save();
  bed.server().start();
  clients.next_after(boottime_now());
  bed.await_whole();
  ctl_ok(bed, {"switchover", "main", "--wait"});
  bed.await_primary(&old);
  clients.next_after(boottime_now());
  const auto before = epoch_of(bed);
  bed.server().kill();
  bed.server().restore();
  bed.server().start();
  CHECK(eventually([&] { return epoch_of(bed) >= before; }, 30s));
  clients.next_after(boottime_now() + 4s);
}

} // namespace

std::vector<scenario> scenarios_of_stores() {
  return {
    {"8: a standby dies while the store is away", "one primary when the store is back", "async",
     false, standby_dies_without_store},
    {"23: a second agent of a member's name", "DuplicateNode: it is refused, the first goes on",
     "async", true, second_of_a_name},
    {"26: the lease record is lost", "written again, of no lower epoch", "async", false,
     lease_is_lost},
    {"28: the store goes back", "no second primary by an older record", "strict", false,
     store_goes_back},
  };
}

} // namespace harmony::test
