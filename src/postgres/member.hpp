#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "failover/member.hpp"
#include "failover/ports.hpp"

namespace harmony::postgres {

/// What else a look at PostgreSQL found, for people.
struct condition {
  std::string trouble; ///< why it cannot be looked at; empty: it can
  /// Parameters whose change waits for a restart.
  std::vector<std::string> pending_restart;

  friend bool operator==(const condition&, const condition&) = default;
};

/// This device's PostgreSQL as a member of a cluster. `prepare` comes first.
///
/// Three threads: one speaks with the guard and waits for nothing else, so that a deadline is
/// always passed on; one carries out the orders; one looks. What the agent does in the data
/// directory, and as a client, it does with its owner's rights.
///
/// Replication slots: a primary keeps one for each other member, a standby has none.
class member final : public failover::database {
public:
  explicit member(failover::member_settings settings);
  ~member() override;
  member(const member&) = delete;
  member& operator=(const member&) = delete;

  void open(failover::event_sink sink) override;
  void close() override;
  void carry_out(const failover::pg_order& what) override;
  void arm(const failover::fx::arm_guard& what) override;
  void disarm(std::function<void(bool)> done) override;
  [[nodiscard]] std::string trouble() const override;

  /// Thread-safe.
  [[nodiscard]] condition now() const;

private:
  class threads;
  std::unique_ptr<threads> threads_;
};

} // namespace harmony::postgres
