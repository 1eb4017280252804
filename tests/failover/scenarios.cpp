#include "failover/scenarios.hpp"

#include "failover/mailbox.hpp"
#include "support/catch.hpp"

namespace harmony::test {

using failover::boottime_now;

const std::vector<scenario>& scenarios() {
  static const auto all = [] {
    std::vector<scenario> made;
    for (const auto& part : {scenarios_of_processes(), scenarios_of_elections(),
                             scenarios_of_data(), scenarios_of_stores()})
      made.insert(made.end(), part.begin(), part.end());
    return made;
  }();
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
  CHECK(clients.two_writable() == "");
  if (std::string{what.mode} != "async" && !what.may_lose)
    CHECK(clients.lost() == 0);
  CHECK(bed.differences() == "");
}

} // namespace harmony::test
