#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "postgres/member.hpp"
#include "postgres/prepare.hpp"
#include "postgres/server.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

/// A member with its guard, driven by orders. Whatever it started has ended when it goes.
class pg_node {
public:
  explicit pg_node(failover::member_settings s) : settings(std::move(s)) {}
  ~pg_node();
  pg_node(const pg_node&) = delete;
  pg_node& operator=(const pg_node&) = delete;

  /// Starts guard and member; waits until they know each other.
  void open();
  /// The member alone, anew: as an agent that starts again.
  void reopen();

  /// The guard alone; waits until it listens.
  void start_guard();
  /// PostgreSQL ends with it.
  void end_guard();

  /// Gives the order a number and waits for its end.
  failover::ev::operation_done order(failover::pg_order what);
  /// The same; requires that it succeeds.
  void must(failover::pg_order what);
  /// Does not wait; the number.
  std::uint64_t begin(failover::pg_order what);
  void checkpoint() const { member->carry_out(failover::fx::checkpoint{}); }
  failover::ev::operation_done end_of(std::uint64_t operation);
  [[nodiscard]] bool done(std::uint64_t operation);

  /// Waits for a look that began after the last order was over and that satisfies; requires one.
  failover::postgres sees(const std::function<bool(const failover::postgres&)>& satisfied =
                            [](const auto&) { return true; });
  /// A lease of five minutes, less what the guard may take; waits until the guard has it.
  void arm(std::uint64_t epoch);
  [[nodiscard]] failover::ev::guard guard_says();

  /// The first field of the answer, as the superuser; nothing where it failed.
  std::optional<std::string> ask(const std::string& sql);
  /// The server's log.
  [[nodiscard]] std::string log() const { return guard_ ? guard_->complaints() : ""; }
  [[nodiscard]] pid_t postmaster() const;

  failover::member_settings settings;
  std::unique_ptr<postgres::member> member;

private:
  void take(const failover::event& e);

  std::unique_ptr<process> guard_;
  std::mutex mutex_;
  std::condition_variable come_;
  std::uint64_t number_ = 0;
  std::vector<failover::ev::operation_done> done_;
  std::optional<failover::postgres> seen_;
  std::optional<failover::ev::guard> guard_is_;
};

/// Members a, b and c in private folders, on loopback with free ports.
class cluster_bed {
public:
  cluster_bed();

  /// A new cluster's first member, whose data are a copy of ones that `prepare` made; not opened.
  pg_node& bootstrapped(const std::string& name);
  /// A member with an empty folder; opened.
  pg_node& joining(const std::string& name);

  /// `a`, opened and primary, under a lease of epoch 1.
  pg_node& primary();
  /// `name`, cloned from `from` and streaming from it.
  pg_node& standby_of(pg_node& from, const std::string& name);

  [[nodiscard]] failover::member_settings settings_of(const std::string& name) const;
  [[nodiscard]] std::string owner() const;
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

private:
  pg_node& make(const std::string& name);

  temp_dir folder_;
  std::vector<failover::member_address> addresses_;
  std::vector<std::unique_ptr<pg_node>> nodes_;
};

/// An order with its number still open.
template <class Order, class... Fields>
failover::pg_order to(Fields... fields) {
  return Order{0, std::move(fields)...};
}

/// Waits until what `from` has committed can be read at `standby`.
bool catches_up(pg_node& standby, pg_node& from);

} // namespace harmony::test
