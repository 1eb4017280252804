#include "model/failover.hpp"

#include "fuzz.hpp"

namespace harmony::fuzz {

namespace {

template <class Read>
void survives(std::string_view bytes, Read read) {
  const auto first = read(bytes);
  if (!first)
    return;
  const auto again = read(failover::write(*first));
  require(again && *again == *first, "a document survives writing and reading");
}

} // namespace

void take(std::string_view bytes) {
  survives(bytes, failover::read_lease_record);
  survives(bytes, failover::read_member_heartbeat);
  survives(bytes, failover::read_history_entry);
  survives(bytes, failover::read_cluster_command);
  if (const auto at = failover::read_lsn(bytes))
    require(failover::read_lsn(failover::write_lsn(*at)) == at, "a position survives");
}

} // namespace harmony::fuzz
