#pragma once

// How a primary changes its synchronous set without a moment in which an acknowledged commit could
// be missing from the set that the record names.

#include "core/failover/machine.hpp"

namespace harmony::failover {

/// What stands.
struct sync_view {
  sync_mode mode = sync_mode::async;
  std::uint32_t count = 0;
  sync_set recorded;
  bool sure = true; ///< no write with another set can come to be any more
  sync_names in_effect;
  lsn flushed = 0; ///< of the primary, with those names in effect
  std::vector<attached> standbys;
};

/// What to do next: change the names, or the record, or nothing.
struct sync_step {
  std::optional<sync_change> change;
  std::optional<sync_names> names;
  std::optional<sync_set> record;

  friend bool operator==(const sync_step&, const sync_step&) = default;
};

/// The step after `change`. A change goes: all of the old and the new set must acknowledge; the new
/// one has all that was flushed by then; the record names it; only it must acknowledge. Each step
/// may be the last before a crash (after Patroni's quorum.py).
sync_step plan_sync(const sync_view& now, std::optional<sync_change> change);

} // namespace harmony::failover
