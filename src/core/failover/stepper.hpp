#pragma once

// The failover machine while it takes one step; for the machine's own files.

#include <string>
#include <utility>
#include <vector>

#include "core/failover/election.hpp"
#include "core/failover/machine.hpp"
#include "core/failover/sync_plan.hpp"

namespace harmony::failover {

/// How long a renewal of that claim lasts, whatever its holder's configuration has become since.
inline duration length_of(const lease_record& claim) {
  return std::chrono::milliseconds{claim.lease_ms};
}

/// Each event teaches it something; then `act` does what follows from all that is known. So what an
/// event leads to depends on the state alone, and nothing that could not be done is forgotten.
class stepper {
public:
  stepper(machine& s, instant now, const config& c) : s_(s), now_(now), c_(c), t_(c.periods) {}

  // learning: machine.cpp, store.cpp, orders.cpp
  void begin();
  void operator()(const ev::tick&) {}
  void operator()(const ev::connected& e);
  void operator()(const ev::disconnected&);
  void operator()(const ev::record_seen& e);
  void operator()(const ev::record_read& e);
  void operator()(const ev::cas_done& e);
  void operator()(const ev::cas_wrong_sequence& e);
  void operator()(const ev::request_failed& e);
  void operator()(const ev::observed& e);
  void operator()(const ev::operation_done& e);
  void operator()(const ev::guard& e);
  void operator()(const ev::heartbeat& e);
  void operator()(const ev::command& e);
  void operator()(const ev::command_gone& e);
  void operator()(const ev::shutdown&);

  // machine.cpp
  void act();
  std::vector<action> take_actions() { return std::move(actions_); }

private:
  // store.cpp: the conversation with the store
  void forget_connection();
  void learn(std::uint64_t sequence, const std::optional<lease_record>& record);
  void note(const lease_record& record, bool from_store);
  void restart_window();
  void answer_lost();
  void judge_lease(std::uint64_t sequence, const std::optional<lease_record>& record);
  void judge_claim(std::uint64_t sequence, const std::optional<lease_record>& record);
  void give_up_slow_request();
  void converse();
  void send_read();
  void send_cas(request_kind kind, std::uint64_t expected, lease_record record);
  void take_lease(const pending_request& claim, std::uint64_t sequence);
  [[nodiscard]] bool mine(const lease_record& r) const;

  // holder.cpp: with a lease
  [[nodiscard]] instant stop_at() const;
  void expire();
  void lose(const std::string& why);
  void end_lease();
  [[nodiscard]] std::string must_release() const;
  [[nodiscard]] bool may_write() const;
  [[nodiscard]] sync_view sync_state(bool sure) const;
  void promoting();
  void holding();
  void releasing();
  void demoting();
  void release(const std::string& why);
  void released();
  void became_primary();
  void tend_sync_set();
  void tend_checkpoint();
  void postgres_is_down();
  [[nodiscard]] lease_record wanted_record() const;
  [[nodiscard]] sync_set first_sync_set() const;

  // orders.cpp: what an operator wants
  void tend_orders();
  void carry_out(const cluster_command& order);
  void refuse_late(const cluster_command& order);
  void switch_over(const cluster_command& order);
  void tend_reinit(const lease_record& source);
  [[nodiscard]] bool is_for_another(const cluster_command& order) const;
  [[nodiscard]] bool last_of_set(const sync_set& sync) const;
  void primary_moved();
  void took_over();
  template <class Which>
  void forget_orders(Which which);
  [[nodiscard]] const cluster_command* ordered() const;
  [[nodiscard]] bool overrides(refusal r) const;
  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool held_back() const;

  // candidate.cpp: without one
  [[nodiscard]] bool released_live() const;
  [[nodiscard]] bool silent() const;
  [[nodiscard]] duration window() const;
  [[nodiscard]] refusal before_election() const;
  [[nodiscard]] refusal judge() const;
  [[nodiscard]] refusal judge_data(const lease_record& basis) const;
  [[nodiscard]] refusal judge_sync(const lease_record& basis) const;
  [[nodiscard]] refusal turn() const;
  [[nodiscard]] std::ptrdiff_t better_ones() const;
  [[nodiscard]] std::uint64_t target() const;
  [[nodiscard]] std::uint64_t next_timeline() const;
  [[nodiscard]] std::vector<candidate> reports() const;
  [[nodiscard]] bool reports_missing() const;
  [[nodiscard]] bool electable() const;
  [[nodiscard]] bool alive(const peer& p) const;
  [[nodiscard]] std::uint64_t epoch_known() const;
  [[nodiscard]] bool is_duplicate() const;
  void following();
  void freezing();
  void electing();
  void claiming() {}
  void thaw();
  void claim();

  // rejoin.cpp: PostgreSQL as a standby
  void tend_standby();
  void start_alone();
  void follow_primary(const lease_record& record);
  void clone_or_rewind(const lease_record& record);
  [[nodiscard]] bool is_live_primary(const std::string& node) const;
  [[nodiscard]] const lease_record* primary_to_follow() const;
  void note_streaming(const lease_record& record);

  // machine.cpp
  void act_once();
  void beat();
  void wake();
  void enter(phase p);
  void remember();
  void beat_now() { s_.beat_at.reset(); }
  [[nodiscard]] bool known() const; ///< PostgreSQL's state, with no operation under way
  [[nodiscard]] bool is_standby() const;
  [[nodiscard]] bool is_primary() const;
  [[nodiscard]] bool may_operate() const;
  std::uint64_t operate(operation_kind kind);
  void stop();
  void emit(action a) { actions_.push_back(std::move(a)); }

  machine& s_;
  instant now_;
  const config& c_;
  const timings& t_;
  std::vector<action> actions_;
};

} // namespace harmony::failover
