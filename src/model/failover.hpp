#pragma once

// What the members of a PostgreSQL cluster tell each other through the store.
// docs/reconcilers/postgres-cluster.md says who writes which, and when.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/outcome.hpp"

namespace harmony::failover {

/// A position in PostgreSQL's log. "16/B374D848" is 0x16B374D848.
using lsn = std::uint64_t;

/// The highest numbers that a record can hold. One beyond makes it unreadable.
inline constexpr std::uint64_t last_number = (std::uint64_t{1} << 53U) - 1;
inline constexpr std::uint32_t last_timeline = 0xFFFFFFFF;

/// What the holder of a lease says of itself.
enum class lease_state {
  promoting, ///< it has the lease, and is not writable yet
  held,      ///< it is the primary
  released,  ///< it has stopped, and gave the lease away
};

/// Whose acknowledgement a commit waits for: any `k` of `members`. k = 0: nobody's.
/// k > 0 without members: no commit is acknowledged.
struct sync_set {
  std::uint32_t k = 0;
  std::vector<std::string> members; ///< sorted

  friend bool operator==(const sync_set&, const sync_set&) = default;
};

/// The one key that decides who may write. Never deleted; every change is a CAS.
///
/// Invariants:
/// - `epoch` grows with every claim, and is the fencing token: the store's own revisions can go
///   back;
/// - within an epoch `nonce` grows with every write: (epoch, nonce) orders records even across a
///   store that was restored;
/// - until it is `held`, the data (timeline, switch_lsn, flush_lsn, sync) are the predecessor's,
/// and
///   `primary` is too: whoever comes next must know what was acknowledged before, and by whom.
struct lease_record {
  std::uint64_t epoch = 0;
  std::string holder;
  std::string incarnation; ///< of the holder's agent, or of the guard that outlives it
  std::uint64_t nonce = 0;
  lease_state state = lease_state::promoting;
  bool paused =
    false; ///< an operator wants nobody to take over; whoever does all the same keeps it
  std::uint64_t lease_ms = 0;
  std::uint64_t system_id = 0;
  std::string primary; ///< whose the data below are: the last that was `held`
  std::uint32_t timeline = 0;
  std::string maker;        ///< of that timeline, as `maker_of` says; empty: it came with the data
  std::uint32_t parent = 0; ///< the timeline that `timeline` left; 0: none
  std::string parent_maker;
  lsn switch_lsn = 0; ///< where it left it
  lsn flush_lsn = 0;  ///< how far the primary had flushed when it wrote this
  sync_set sync;
  /// The highest timeline that a claim was to begin. Each claim takes the next one, by its CAS, so
  /// that no two promotions give their timelines one number, even if one of them is never heard of.
  std::uint32_t reserved = 0;
  std::string successor; ///< `released`: who is meant to take over; empty: anybody

  friend bool operator==(const lease_record&, const lease_record&) = default;
};

/// A claim, as the maker of a timeline. A number alone does not tell one timeline from another: a
/// store that forgot a claim may give its epoch and its timeline's number away once more.
inline std::string maker_of(const lease_record& claim) {
  return claim.incarnation + "/" + std::to_string(claim.epoch);
}

/// Whether `a` was written before `b`, by whatever store they were read from.
inline bool older(const lease_record& a, const lease_record& b) {
  return std::tie(a.epoch, a.nonce) < std::tie(b.epoch, b.nonce);
}

/// The promise to receive no more of the log before the election of `epoch` is over, and how far
/// it was received.
struct frozen_report {
  std::uint64_t epoch = 0;
  std::uint32_t timeline = 0;
  lsn at = 0;

  friend bool operator==(const frozen_report&, const frozen_report&) = default;
};

enum class member_role { stopped, standby, primary, rejoining };

/// What a member says every renew period, for the others' elections.
struct member_heartbeat {
  std::string node;
  std::string incarnation;
  std::uint64_t beat = 0; ///< grows; a beat that did not change proves nothing
  member_role role = member_role::stopped;
  std::uint64_t epoch = 0; ///< the highest that it knows of
  std::uint64_t system_id = 0;
  std::uint32_t timeline = 0;
  std::uint32_t checkpoint_timeline = 0; ///< of its control file
  lsn received = 0;                      ///< as far as it is known; primary: flushed
  lsn replayed = 0;
  /// It would take over: guard healthy, priority above 0, data in order, its log replayed.
  bool electable = false;
  std::uint32_t priority = 0;
  std::optional<frozen_report> frozen;
  /// The newest that it knows. A store that was restored forgets; the members tell each other.
  std::optional<lease_record> newest;

  friend bool operator==(const member_heartbeat&, const member_heartbeat&) = default;
};

/// One page of the flight recorder: how an epoch began.
struct history_entry {
  std::uint64_t epoch = 0;
  std::string holder;
  std::string predecessor; ///< who held the lease before; empty: nobody
  std::string reason;      ///< why it changed hands, for a person
  std::uint32_t timeline = 0;
  std::uint32_t parent = 0;
  lsn switch_lsn = 0;
  lsn lost_at_most = 0; ///< bytes of log that the predecessor had told of and that are not here

  friend bool operator==(const history_entry&, const history_entry&) = default;
};

enum class command_kind {
  switchover,
  failover,
  pause,
  resume,
  reinit, ///< `to` sets its data aside and clones them anew
};

/// What an operator asks of a cluster.
struct cluster_command {
  std::string id; ///< of its key; who carries it out takes it away by CAS
  command_kind kind = command_kind::switchover;
  std::string to; ///< a member; empty: the best one, or all of them
  bool allow_data_loss = false;
  std::string by;

  friend bool operator==(const cluster_command&, const cluster_command&) = default;
};

/// "16/B374D848", as PostgreSQL writes it.
std::string write_lsn(lsn at);
std::optional<lsn> read_lsn(std::string_view text);

/// As JSON, and back. Strict: an unknown, missing or wrong field is a failure that names it.
std::string write(const lease_record& r);
std::string write(const member_heartbeat& b);
std::string write(const history_entry& h);
std::string write(const cluster_command& c);
outcome<lease_record> read_lease_record(std::string_view json);
outcome<member_heartbeat> read_member_heartbeat(std::string_view json);
outcome<history_entry> read_history_entry(std::string_view json);
outcome<cluster_command> read_cluster_command(std::string_view json);

} // namespace harmony::failover
