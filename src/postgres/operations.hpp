#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "failover/ports.hpp"
#include "postgres/guard_link.hpp"
#include "postgres/server.hpp"

namespace harmony::postgres {

/// Carries out orders to PostgreSQL. For one thread; each call waits until the order is done, has
/// failed or is given up.
class operations {
public:
  operations(const failover::member_settings& s, guard_link& guard) : s_(s), guard_(guard) {}

  outcome<> carry_out(const failover::pg_order& order, const std::stop_token& cancel);

  /// Makes and drops what a server has besides its data: slots, and a primary the replication user.
  /// The first time, has a server that runs already take this member's settings.
  /// `slots`: as a look told them.
  outcome<> tend(bool in_recovery, const std::vector<std::string>& slots,
                 const std::stop_token& cancel);

  /// Whether the data are being replaced: a look at them says nothing. Thread-safe.
  [[nodiscard]] bool copying() const { return copying_; }

private:
  friend struct order_visitor;

  outcome<> start_standby(const std::string& upstream, const std::stop_token& cancel);
  outcome<> start_primary(const std::stop_token& cancel);
  outcome<> promote(std::uint32_t timeline, const std::stop_token& cancel);
  outcome<> stop(const std::stop_token& cancel);
  outcome<> follow(const std::string& upstream, const std::stop_token& cancel);
  outcome<> rewind(const std::string& source, const std::stop_token& cancel);
  outcome<> reclone(const std::string& source, const std::stop_token& cancel);
  outcome<> set_names(const failover::sync_names& names, const std::stop_token& cancel);
  outcome<> checkpoint(const std::stop_token& cancel);

  // copies.cpp
  outcome<> settle_after_kill(const data_files& files, const std::stop_token& cancel);
  outcome<std::string> copy_source(const failover::member_address& source,
                                   const std::string& folder, const check_limits& limits);
  outcome<> base_backup(const failover::member_address& source, const std::string& folder,
                        const owner& who, const check_limits& limits);
  [[nodiscard]] outcome<const failover::member_address*> source_of(const std::string& node) const;
  [[nodiscard]] outcome<> must_be_stopped() const;

  outcome<> launch(bool primary, const data_files& files, const check_limits& limits);
  outcome<session> wait_for_answers(const owner& who, const check_limits& limits);
  /// Asks again and again, for so long, until the first field of the answer is 't'.
  outcome<> wait_until(session& s, const std::string& sql, const std::string& otherwise,
                       const check_limits& limits,
                       std::chrono::milliseconds patience = std::chrono::hours{1});
  [[nodiscard]] outcome<> rest(const check_limits& limits);
  /// Has the configuration read again; `what` of it changed.
  outcome<session> reconfigure(const standing& now, const check_limits& limits);
  outcome<> refresh(const data_files& files, const check_limits& limits);
  /// Writes the configuration, as for a standby where it is one, and tells the server.
  outcome<> reload(const data_files& files, const standing& now, const check_limits& limits);
  /// Until commits wait for the names that are in effect.
  outcome<> wait_for_names(session& s, const check_limits& limits);
  [[nodiscard]] standing standing_of(const data_files& files) const;

  const failover::member_settings& s_;
  guard_link& guard_;
  std::optional<session> checkpointing_;
  std::atomic<bool> copying_{false};
  bool role_made_ = false;            ///< since it became the primary
  std::optional<least_values> least_; ///< of a standby that runs; nothing: not known yet
  bool refreshed_ = false;            ///< the server has this member's settings
  bool names_read_ = false;           ///< that there are names is known to all of the server
};

} // namespace harmony::postgres
