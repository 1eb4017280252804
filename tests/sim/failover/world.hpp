#pragma once

// A whole failover cluster in virtual time: nodes that run the real machine, with a simulated
// guard and PostgreSQL each, one simulated store, and faults. What clients were told is kept, and
// every moment is held to the promises.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/failover/machine.hpp"
#include "sim/failover/clock.hpp"

namespace harmony::failover::sim {

/// Ways to break the protocol, one rule at a time. A model that does not find them proves nothing.
enum class broken {
  nothing,
  guard,          ///< the guard never kills
  window,         ///< the window goes on over a reconnection
  send_time,      ///< deadlines count from the answer
  found_release,  ///< a release that is only found is believed
  kept_sequence,  ///< who finds its own last sequence believes that nobody came in between
  frozen_promise, ///< a member that has reported goes on receiving
  early_sync_set, ///< a synchronous set is named before it has everything
  guessed_end,    ///< what was replayed after a start is reported as all that was received
  armed_release,  ///< a release leaves the guard armed, and whoever starts under it goes on at once
  kept_order,     ///< an order stands for ever
  half_record,    ///< a promotion waits until all that was received is replayed
};

enum class fault {
  freeze_agent,
  freeze_both, ///< the agent and PostgreSQL
  kill_agent,
  kill_postgres,
  power_cut,
  slow_standby,
  cut_store,
  cut_peers,
  isolate,
  stutter,
  store_hangs,
  store_restarts,
  store_forgets,
  operator_acts,
  operator_forces, ///< a failover, data loss allowed
  shut_down,       ///< an agent, in order
  sick_guard,
};
constexpr int fault_kinds = 17;

struct options {
  std::uint64_t seed = 1;
  sync_mode mode = sync_mode::async;
  broken what = broken::nothing;
  std::size_t nodes = 3;
  moment faults_until = 25 * second;
  bool rollbacks = true;      ///< the store forgets what it acknowledged
  bool two_may_write = false; ///< only what was acknowledged is looked at
  std::vector<fault> only;    ///< these faults; none: chosen for each history
};

/// One commit in the log.
using entry = std::uint64_t;

/// PostgreSQL on one node. Positions are numbers of entries, times `entry_size`.
struct server {
  bool running = false;
  bool frozen = false; ///< SIGSTOP
  bool writable = false;
  bool receives = false;
  bool half_copied = false; ///< a rewind or clone was interrupted
  bool whole = false;       ///< all of the local log was replayed since the start
  bool half = false;        ///< the last that was received is a part of a record
  std::uint64_t life = 0;   ///< grows when it dies
  std::string upstream;
  std::string secretly; ///< broken::frozen_promise: from whom it goes on to receive
  std::uint32_t timeline = 1;
  std::uint32_t checkpoint_timeline = 1;
  std::vector<past_timeline> history;
  std::vector<entry> log;
  std::size_t replayed = 0;
  sync_names names;
  std::map<std::string, std::size_t> flushed_by; ///< as far as standbys told it
  std::size_t first_unacknowledged = 0;
  moment slow_until = 0; ///< receives little until then
};

struct node;

/// The store: one key with CAS, last heartbeats, and connections that a restart ends.
struct store {
  bool up = true;
  bool frozen = false;
  std::uint64_t life = 1;
  std::uint64_t sequence = 0;
  std::optional<lease_record> record;
  std::map<std::string, member_heartbeat> beats;
  std::map<std::string, cluster_command> commands; ///< until they are consumed
  struct snapshot {
    moment when;
    std::uint64_t sequence;
    std::optional<lease_record> record;
    std::map<std::string, member_heartbeat> beats;
  };
  std::deque<snapshot> past;
};

struct node {
  std::size_t index = 0;
  config settings;
  drifting_clock clock;
  bool powered = true;
  bool gone = false; ///< it does not come back
  // The agent.
  bool agent_up = false;
  bool agent_frozen = false;
  std::uint64_t agent_life = 0;
  machine state;
  memory disk;
  std::deque<event> inbox; ///< while it is frozen
  std::deque<std::vector<action>> outbox;
  std::uint64_t wake = 0;
  bool stutters = false; ///< it freezes with its next renewal under way
  // What a broken one remembers.
  std::optional<sight> last_seen;
  std::uint64_t last_sequence = 0;
  // Its connection.
  std::uint64_t connection = 0; ///< 0: none
  std::uint64_t server_life = 0;
  bool cut = false;      ///< from the store
  moment sent_until = 0; ///< messages arrive in order
  moment heard_until = 0;
  std::uint64_t waiting = 0; ///< messages for it, until the link is back
  // The guard.
  std::optional<instant> deadline;
  std::uint64_t guard_epoch = 0;
  moment sick_until = 0; ///< it kills in time, and hears nobody
  bool forced = false;   ///< its claim was an operator's order
  // PostgreSQL.
  server pg;
  std::uint64_t operation_over = 0;
  std::uint64_t operation_newest = 0;
};

class world {
public:
  explicit world(const options& o);

  /// The whole history: faults, then peace until all is well.
  void run();

  /// What was broken; empty: nothing. The first only.
  [[nodiscard]] const std::string& violation() const { return violation_; }
  /// Whether a promise was broken, and not only the hope of a recovery.
  [[nodiscard]] bool unsafe() const { return !violation_.empty() && !stuck_; }
  /// What happened, for a person.
  [[nodiscard]] const std::string& story() const { return story_; }

  /// How much happened, so that a test can tell a tame model.
  struct figures {
    std::uint64_t promotions = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t guard_kills = 0;
    std::uint64_t rewinds = 0;
    std::uint64_t releases = 0;
    std::uint64_t rollbacks = 0;
    std::uint64_t lost = 0;   ///< acknowledged, async
    std::uint64_t forced = 0; ///< claims by order
    std::uint64_t shutdowns = 0;
  };
  [[nodiscard]] const figures& counted() const { return counted_; }

private:
  // world.cpp
  void boot(node& n);
  void fail(const std::string& what);
  void note(const std::string& what);
  [[nodiscard]] bool healthy() const;
  [[nodiscard]] std::string why_ill() const;
  void check_writable();
  void check_all_kept();

  // faults.cpp
  void choose_faults();
  void disturb();
  void disturb(node& n, fault kind);
  void disturb_store(bool hangs, bool forgets);
  void cut_store(node& n, moment until);
  void cut_peers(node& n);
  void make_peace();
  void freeze_agent(node& n, bool postgres_too, moment until);
  void thaw(node& n);
  void kill_agent(node& n, moment back_after);
  void power_cut(node& n, moment back_after);
  void command(command_kind kind);
  void force(const std::string& to);
  void give(const cluster_command& order, moment until);
  void shut_down(node& n, moment back_after);
  void lose_one();
  void rescue();
  [[nodiscard]] bool hopeless() const;
  void take_away(const std::string& order);
  void stutter(node& n);

  // agent.cpp
  void start_agent(node& n);
  void deliver(node& n, event e);
  void take(node& n, const event& e);
  void pump(node& n);
  void perform(node& n, const action& a);
  void operate(node& n, const action& a);
  void look(node& n);
  void arm(node& n, instant deadline, std::uint64_t epoch);
  void over(node& n, std::uint64_t operation, moment delay, std::function<bool()> effect);
  void note_claim(node& n);
  [[nodiscard]] bool guard_live(const node& n) const;
  [[nodiscard]] bool sick(const node& n) const { return time_.now() < n.sick_until; }
  [[nodiscard]] ev::guard guard_of(const node& n) const { return {!sick(n), n.deadline}; }

  // store.cpp
  void link(node& n);
  void disconnect(node& n);
  void to_store(node& n, std::function<void()> what);
  void arrive(node* n, std::uint64_t connection, std::uint64_t life, std::function<void()> what);
  void from_store(node& n, event e);
  void come(node* n, std::uint64_t connection, event e, bool again);
  void apply_cas(node& n, const fx::cas& c);
  [[nodiscard]] moment turning_point();
  void keep_past();
  void store_restart(moment down, moment forget);

  // postgres.cpp
  void replicate();
  void stream(node& from, node& to);
  void acknowledge(node& n);
  void write(node& n);
  void kill_postgres(node& n, const std::string& why);
  void make_writable(node& n);
  void check_nothing_lost(const node& n);
  bool rewind(node& n, const node& source);
  bool clone(node& n, const node& source);
  [[nodiscard]] node* find(const std::string& name);
  [[nodiscard]] bool linked(const node& a, const node& b) const;
  [[nodiscard]] postgres seen(const node& n) const;

  options o_;
  schedule time_;
  dice dice_;
  store store_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> cut_links_;
  std::uint64_t connections_ = 0;
  entry entries_ = 0;
  std::uint64_t commands_ = 0;
  std::map<std::string, moment> taken_away_;                ///< orders, when
  std::vector<std::pair<std::size_t, entry>> acknowledged_; ///< position, what
  std::vector<fault> faults_;
  moment pace_ = second;
  bool peace_ = false;
  std::string violation_;
  bool stuck_ = false;
  std::string story_;
  figures counted_;
};

constexpr lsn entry_size = 65536;
constexpr std::uint64_t max_lag = 40 * entry_size;

inline lsn position(std::size_t entries) {
  return 1000 + entries * entry_size;
}

} // namespace harmony::failover::sim
