#pragma once

// What a failover machine is told, and what it asks for.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/failover/timings.hpp"
#include "model/failover.hpp"

namespace harmony::failover {

/// What a commit waits for.
enum class sync_mode {
  async,  ///< nobody
  strict, ///< `sync_count` named standbys, each of them
  quorum, ///< any `sync_count` of all standbys that keep up
};

/// What does not change in a machine's life.
struct config {
  std::string node;
  std::string incarnation;
  std::vector<std::string> members; ///< all of the cluster, this one too
  timings periods;
  sync_mode mode = sync_mode::async;
  std::uint32_t sync_count = 1;
  std::uint64_t max_lag = 16U << 20U; ///< bytes; async only
  std::uint32_t priority = 1;         ///< 0: promoted only by order, in no synchronous set
  bool may_create = false;            ///< writes the first record of a new cluster
  bool may_rewind = true;             ///< else a forked member is cloned again at once
  duration restart_limit{};           ///< for a dead primary to be started in place; 0: hand over
  duration stream_limit =
    std::chrono::seconds{30}; ///< for a standby to stream, before more is done
};

/// A timeline that the local data went through, and where they left it.
struct past_timeline {
  std::uint32_t timeline = 0;
  lsn left_at = 0;

  friend bool operator==(const past_timeline&, const past_timeline&) = default;
};

/// A standby as the primary sees it.
struct attached {
  std::string node;
  lsn flushed = 0;

  friend bool operator==(const attached&, const attached&) = default;
};

/// synchronous_standby_names: any `count` of `names`. 0: off. Without names: no commit passes.
using sync_names = sync_set;

/// What a look at PostgreSQL found.
struct postgres {
  std::uint64_t after = 0; ///< the newest operation that was over when the look began
  bool running = false;    ///< and answers
  bool in_recovery = true;
  std::uint64_t system_id = 0;
  std::uint32_t timeline = 0;
  std::uint32_t checkpoint_timeline = 0; ///< of the control file
  std::vector<past_timeline> history;    ///< oldest first, without `timeline`
  lsn received = 0;                      ///< in recovery: the further of received and replayed
  lsn replayed = 0;
  /// In recovery: `received` is the end of the log that is here. From its start until it streams
  /// PostgreSQL does not know: pg_last_wal_receive_lsn() is NULL, and replay is behind the local
  /// log. True only where one of these was seen in the look:
  /// - pg_last_wal_receive_lsn() is not NULL: PostgreSQL asks for a walreceiver when it has
  ///   replayed all that is here, and not before;
  /// - the startup process waits for log to come: pg_stat_activity has wait_event
  ///   'RecoveryRetrieveRetryInterval' or 'RecoveryWalStream' for backend_type 'startup'. It reads
  ///   all that is here before it does. A replay that is paused waits for something else.
  bool whole = true;
  lsn flushed = 0;       ///< of a primary; of one that stopped: its end
  bool receives = false; ///< a walreceiver is connected
  std::string upstream;  ///< whom primary_conninfo names; empty: nobody
  sync_names names;      ///< in effect
  std::vector<attached> standbys;

  /// How far the data go.
  [[nodiscard]] lsn end() const { return in_recovery ? received : flushed; }

  friend bool operator==(const postgres&, const postgres&) = default;
};

/// Events: what happened.
namespace ev {

/// Time went by. At least one every renew period.
struct tick {};
/// A connection to the store; every one has a number never used before.
struct connected {
  std::uint64_t connection = 0;
  std::string server; ///< id of the server, and the leader where there are several
};
struct disconnected {};
/// The lease's key, as a watch told it. Sequence 0 and no record: there never was one. A sequence
/// without a record: it was deleted, or what stands there cannot be read.
struct record_seen {
  std::uint64_t connection = 0;
  std::uint64_t sequence = 0;
  std::optional<lease_record> record;
};
/// An answer to `fx::read`, from the leader.
struct record_read {
  std::uint64_t request = 0;
  std::uint64_t sequence = 0;
  std::optional<lease_record> record;
};
/// Answers to `fx::cas`.
struct cas_done {
  std::uint64_t request = 0;
  std::uint64_t sequence = 0; ///< the record's new one
};
struct cas_wrong_sequence {
  std::uint64_t request = 0;
};
/// No answer, or one that says nothing. A CAS may have been, or may yet be, applied.
struct request_failed {
  std::uint64_t request = 0;
};
/// What the last look at PostgreSQL found.
struct observed {
  postgres is;
};
/// An operation on PostgreSQL is over.
struct operation_done {
  std::uint64_t operation = 0;
  bool ok = true;
  std::string message;
};
/// How the guard is. `deadline`: until when it lets PostgreSQL write; nothing: not at all.
struct guard {
  bool healthy = false;
  std::optional<instant> deadline;
  std::uint64_t epoch = 0; ///< of that deadline
};
struct heartbeat {
  std::uint64_t connection = 0;
  member_heartbeat beat;
};
/// An order of an operator stands in the store. After `connected`, each one that does, in the order
/// of their writing.
struct command {
  cluster_command what;
};
/// It stands there no more: carried out or refused by some member, or taken back.
struct command_gone {
  std::string id;
};
/// The agent ends in order, or the resource is removed.
struct shutdown {};

} // namespace ev

using event = std::variant<ev::tick, ev::connected, ev::disconnected, ev::record_seen,
                           ev::record_read, ev::cas_done, ev::cas_wrong_sequence,
                           ev::request_failed, ev::observed, ev::operation_done, ev::guard,
                           ev::heartbeat, ev::command, ev::command_gone, ev::shutdown>;

/// What is kept on the device, fsynced, so that a restart does not forget it.
struct memory {
  std::uint64_t floor = 0;            ///< no claim of this member has this epoch or a lower one
  std::optional<lease_record> newest; ///< the newest record that it knows
  std::uint32_t timeline = 0;         ///< of the local data, when its maker was learnt
  std::string maker;                  ///< of that timeline; empty: not known
  /// The timeline that this member left when it began that one itself, and who made it. A claim
  /// that failed leaves the data as they were told of, and this member's a part of their history.
  std::uint32_t left = 0; ///< 0: it did not begin it
  std::string left_maker;
  bool damaged = false; ///< the data directory is not usable
  /// The record over which this member reported: it receives nothing until it knows a newer one.
  std::optional<lease_record> promise;

  friend bool operator==(const memory&, const memory&) = default;
};

/// Actions: what the shell must do, in this order.
namespace fx {

/// Make it durable before the next action.
struct remember {
  memory what;
};
/// Only on that connection: if it is gone the request has failed.
struct cas {
  std::uint64_t request = 0;
  std::uint64_t connection = 0;
  std::uint64_t expected = 0; ///< 0: there must be none
  lease_record record;
};
struct read {
  std::uint64_t request = 0;
  std::uint64_t connection = 0;
};
/// PostgreSQL may write until then, less the guard's own time to kill.
struct arm_guard {
  instant deadline;
  std::uint64_t epoch = 0;
};
/// The guard's deadline is over, now that PostgreSQL has stopped (its request `release`). Done, or
/// the guard gone, or the deadline past, before the next action: an agent that starts again then
/// finds no live deadline, and does not go on with a lease that was given away.
struct disarm_guard {};
/// Operations on PostgreSQL. At most one at a time, but that a stop does not wait for the others.
struct start_standby {
  std::uint64_t operation = 0;
  std::string upstream;
};
/// The guard does so only before its deadline.
struct start_primary {
  std::uint64_t operation = 0;
};
/// Promotes, onto exactly that timeline. PostgreSQL replays all of its local log first.
struct promote {
  std::uint64_t operation = 0;
  std::uint32_t timeline = 0;
};
struct stop_fast {
  std::uint64_t operation = 0;
};
/// A standby's primary_conninfo; empty: cleared, the walreceiver ends.
struct follow {
  std::uint64_t operation = 0;
  std::string upstream;
};
/// With PostgreSQL stopped. The member's own configuration is put back afterwards.
struct rewind {
  std::uint64_t operation = 0;
  std::string source;
};
/// With PostgreSQL stopped: the data directory set aside, a base backup taken.
struct reclone {
  std::uint64_t operation = 0;
  std::string source;
};
struct set_sync_names {
  std::uint64_t operation = 0;
  sync_names names;
};
/// Not waited for.
struct checkpoint {};
struct publish_heartbeat {
  member_heartbeat beat;
};
struct publish_history {
  history_entry entry;
};
/// Take the command away, by CAS.
struct consume {
  std::string command;
};
/// For the audit log.
struct audit {
  std::string what;
  std::string result;
};
/// Somebody should look.
struct alarm {
  std::string message;
};
/// An `ev::tick` then, at the latest.
struct wake {
  instant at;
};

} // namespace fx

using action =
  std::variant<fx::remember, fx::cas, fx::read, fx::arm_guard, fx::disarm_guard, fx::start_standby,
               fx::start_primary, fx::promote, fx::stop_fast, fx::follow, fx::rewind, fx::reclone,
               fx::set_sync_names, fx::checkpoint, fx::publish_heartbeat, fx::publish_history,
               fx::consume, fx::audit, fx::alarm, fx::wake>;

} // namespace harmony::failover
