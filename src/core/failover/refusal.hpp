#pragma once

#include <string_view>

namespace harmony::failover {

/// Why a member does not take over, as an operator reads it. `docs/reconcilers/postgres-cluster.md`
/// holds the same words.
enum class refusal {
  none,
  store_unreachable,     ///< not connected, or no answer yet
  no_cluster,            ///< there is no lease record, and this member may not create the first
  window_running,        ///< the record is not silent for long enough
  successor_first,       ///< it was handed over to another member, who goes first
  paused,                ///< an operator wants no failover
  duplicate_node,        ///< another live agent has this member's name
  guard_unhealthy,       ///< nobody would stop PostgreSQL in time
  numbers_exhausted,     ///< an epoch or a timeline is at the end of its range
  not_a_standby,         ///< PostgreSQL is not running as a standby
  data_damaged,          ///< a rewind broke off; the data must be cloned again
  system_id_differs,     ///< another cluster's data
  timeline_forked,       ///< the data have what the cluster's history has not
  timeline_behind,       ///< more than one timeline behind
  primary_still_streams, ///< the old primary lives: it still sends
  log_not_replayed,      ///< started anew: how far its log goes is not known yet
  not_a_member,          ///< not of the synchronous set
  quorum_missing,        ///< too few members have reported
  others_have_more,      ///< a member that reported has received more
  lag_too_large,         ///< more than max lag would be lost
  priority_zero,         ///< never to be promoted
  outranked,             ///< a better member goes first
};

/// One word, as in "QuorumMissing".
std::string_view word_of(refusal r) noexcept;

/// What it means and what to do, for a person.
std::string_view text_of(refusal r) noexcept;

/// Whether `failover --allow-data-loss` goes over it. Never over what could make two members
/// writable, or start data that are not this cluster's.
bool may_override(refusal r) noexcept;

} // namespace harmony::failover
