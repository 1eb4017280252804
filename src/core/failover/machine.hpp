#pragma once

// One member of a PostgreSQL failover cluster, as a pure function over values. The failover actor
// is its shell.
//
//   following ──(record silent for T, or released)──> freezing ──(walreceiver gone)──> electing
//       ^  ^                                             │                               │ best
//       │  └───────────(the record changed)──────────────┴───────────────────────────────┤
//       │                                                                                v
//       ├──────────────────────────────(lost)───────────────────────────────────────  claiming
//       │                                                                                │ lease
//       │                                                                                v
//    demoting <──(lease runs out, lost, cannot be fenced)── holding <──(writable)──  promoting
//       ^                                                      │ switchover, PostgreSQL is dead
//       └──────────────(lease runs out)─────────────────── releasing ──(record says so)──>
//       following
//
// docs/reconcilers/postgres-cluster.md explains the protocol, with a table that a test holds equal
// to this code.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/failover/events.hpp"
#include "core/failover/refusal.hpp"

namespace harmony::failover {

enum class phase {
  following, ///< a standby, or on the way to be one
  freezing,  ///< the record is silent: ends its walreceiver
  electing,  ///< has reported how far it is, and looks who is best
  claiming,  ///< its claim is under way
  promoting, ///< has the lease, is not writable yet
  holding,   ///< the primary
  releasing, ///< stops in order, to give the lease away
  demoting,  ///< stops; has no lease
};

std::string_view word_of(phase p) noexcept;

/// What a standby's data need before it can follow a primary.
enum class rejoin_step { follow, wait_for_checkpoint, rewind, reclone };

/// The lease's key as this machine sees it in this connection.
struct sight {
  std::uint64_t sequence = 0;
  std::optional<lease_record> record;
  instant since;        ///< the window's beginning: unchanged from then on, without a gap
  instant heard;        ///< the store last said so
  bool changed = false; ///< seen to change in this connection, not only found

  friend bool operator==(const sight&, const sight&) = default;
};

enum class request_kind { read, renew, claim };

struct pending_request {
  std::uint64_t number = 0;
  request_kind kind = request_kind::read;
  instant sent;
  std::optional<lease_record> record; ///< of a CAS

  friend bool operator==(const pending_request&, const pending_request&) = default;
};

/// The lease of this machine.
struct own_lease {
  lease_record record;                   ///< as last written or read
  std::uint64_t nonce = 0;               ///< of the last write that was sent
  std::optional<std::uint64_t> sequence; ///< nothing: read before the next CAS
  bool sure = true; ///< its last write was answered: no earlier one can be applied any more
  instant sent;     ///< of the newest renewal that is known to be in the store
  instant renew_at;

  friend bool operator==(const own_lease&, const own_lease&) = default;
};

enum class operation_kind {
  none,
  start_standby,
  start_primary,
  stop,
  promote,
  follow,
  rewind,
  reclone,
  names
};

struct pg_operation {
  std::uint64_t number = 0;
  operation_kind kind = operation_kind::none; ///< none: nothing is under way
  std::uint32_t failures = 0;                 ///< in a row
  instant not_before;

  friend bool operator==(const pg_operation&, const pg_operation&) = default;
};

/// An operator's order, as long as it stands in the store.
struct standing_order {
  cluster_command what;
  instant since; ///< seen in this connection

  friend bool operator==(const standing_order&, const standing_order&) = default;
};

struct peer {
  member_heartbeat beat;
  bool live = false; ///< seen to change in this connection
  instant first;     ///< seen in this connection
  instant seen;      ///< last

  friend bool operator==(const peer&, const peer&) = default;
};

/// A change of the synchronous set under way: commits wait for the old and the new one.
struct sync_change {
  std::vector<std::string> wanted;
  std::optional<lsn> barrier; ///< all of `wanted` must have this, before the record says so

  friend bool operator==(const sync_change&, const sync_change&) = default;
};

/// Invariants:
/// - PostgreSQL is promoted or started writable only while `lease` is there, an answer since the
///   agent's start has confirmed it, and the guard has a live deadline; every deadline counts from
///   before its renewal was sent;
/// - no CAS is sent without a sequence from this connection, none while another request is under
///   way, and none after one that was not answered before a read;
/// - `lease` is gone as soon as its stop time has come, or a newer claim was read;
/// - a claim follows T of an unchanged record in one connection, or a release that was seen to
///   happen in this connection; its epoch is higher than every one that this machine knows;
/// - a frozen report is made only where PostgreSQL knows how far its log goes; from then until the
///   record changes, this member receives nothing;
/// - an order is carried out only while it stands in the store;
/// - at most one operation on PostgreSQL is under way, besides a stop.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of their meaning
struct machine {
  phase at = phase::following;
  refusal why_not = refusal::store_unreachable; ///< why it does not take over, for the status
  memory kept;

  // The store.
  std::uint64_t connection = 0; ///< 0: none
  std::string server;
  std::optional<sight> seen;
  std::optional<pending_request> request;
  std::uint64_t requests = 0;
  std::optional<own_lease> lease;
  instant retry_at;                     ///< no request earlier, after one that failed
  std::optional<pending_request> claim; ///< this machine's, while it is not known what became of it
  std::uint64_t epoch_seen = 0;         ///< the highest in any record or heartbeat
  std::map<std::string, peer> peers;
  /// Members that last said that they may be promoted by themselves: priority above 0. Kept over
  /// connections.
  std::set<std::string> promotable;
  bool duplicate = false;
  std::optional<instant> last_step;

  // PostgreSQL.
  std::optional<postgres> pg;
  pg_operation operation;
  bool guard_healthy = false;
  std::optional<instant> guard_deadline;
  std::optional<instant> wal_at; ///< when the log was last seen to arrive
  instant replay_at;             ///< when replay was last seen to go on
  std::optional<instant> down_since;
  std::optional<instant> not_streaming_since;
  rejoin_step rejoin = rejoin_step::follow;
  std::uint64_t rewound = 0;            ///< for the primary of this epoch
  std::optional<instant> checkpoint_at; ///< none is asked for earlier
  bool stopped = false;                 ///< by the stop of this release or demotion

  // An election.
  std::optional<frozen_report> frozen;
  instant frozen_at;
  std::string took_over_from;
  std::string ordered_by; ///< who ordered the claim; empty: nobody
  lsn lost_at_most = 0;
  std::vector<standing_order> orders; ///< that stand in the store, oldest first

  // As a holder.
  std::optional<sync_change> change;
  bool pause_wanted = false;
  bool handing_over = false;
  std::string successor;
  bool shutting_down = false;

  std::uint64_t beats = 0;
  std::optional<instant> beat_at;
  instant wake_at;

  friend bool operator==(const machine&, const machine&) = default;
};

/// A machine after the agent's start. `kept`: what it remembered.
machine begin(memory kept);

/// The same where the guard outlived the agent: PostgreSQL is writable under its `deadline`, by the
/// claim of `record` (whose incarnation `config` has again). It goes on once the store confirms it,
/// and starts or promotes nothing before. `now`: as in `step`.
machine resume(memory kept, const lease_record& record, instant deadline, instant now);

struct step_result {
  machine state;
  std::vector<action> actions;
};

/// Total over phase × event. Never throws; late answers change nothing. `now`: CLOCK_BOOTTIME,
/// taken before the actions are carried out.
step_result step(machine state, const event& e, instant now, const config& c);

} // namespace harmony::failover
