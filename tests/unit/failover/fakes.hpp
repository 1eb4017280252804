#pragma once

// A store and a PostgreSQL that do at once what they are asked.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "failover/node.hpp"

namespace harmony::failover::test {

/// What lies in the store, for all who are connected to it.
class shared_store {
public:
  void join(const std::string& node, event_sink sink);
  void leave(const std::string& node);
  event cas(const fx::cas& what);
  event read(const fx::read& what);
  void publish(const member_heartbeat& beat);
  void record(const history_entry& entry);
  void order(const cluster_command& what);
  void consume(const std::string& id);

  [[nodiscard]] std::optional<lease_record> lease() const;
  [[nodiscard]] std::size_t pages() const;
  [[nodiscard]] bool empty_of_orders() const;

private:
  mutable std::mutex mutex_;
  std::uint64_t connections_ = 0;
  std::uint64_t sequence_ = 0;
  std::optional<lease_record> record_;
  std::map<std::string, std::pair<std::uint64_t, event_sink>> there_;
  std::map<std::string, cluster_command> orders_;
  std::vector<history_entry> history_;
};

class fake_store final : public lease_store {
public:
  fake_store(std::shared_ptr<shared_store> shared, std::string node)
    : shared_(std::move(shared)), node_(std::move(node)) {}

  void open(event_sink sink) override;
  void close() override { shared_->leave(node_); }
  void read(const fx::read& what) override { sink_(shared_->read(what)); }
  void cas(const fx::cas& what) override { sink_(shared_->cas(what)); }
  void publish(const member_heartbeat& beat) override { shared_->publish(beat); }
  void publish(const history_entry& entry) override { shared_->record(entry); }
  void consume(const std::string& command) override { shared_->consume(command); }

private:
  std::shared_ptr<shared_store> shared_;
  std::string node_;
  event_sink sink_;
};

/// A PostgreSQL with a guard, which has the data of a first primary.
class fake_postgres final : public database {
public:
  fake_postgres();

  void open(event_sink sink) override;
  void close() override;
  void carry_out(const pg_order& what) override;
  void arm(const fx::arm_guard& what) override;
  void disarm(std::function<void(bool)> done) override;

  /// The guard outlived an agent.
  void armed_before(instant deadline, std::uint64_t epoch);
  void hang() { hangs_ = true; }
  void keep_deadline() { keeps_deadline_ = true; }
  [[nodiscard]] ev::guard guard() const;

  [[nodiscard]] postgres state() const;
  [[nodiscard]] std::vector<std::string> orders() const;

private:
  void tell_guard();

  mutable std::mutex mutex_;
  event_sink sink_;
  postgres is_;
  ev::guard guard_{true, {}, 0};
  std::vector<std::string> orders_;
  std::atomic<bool> hangs_{false}, keeps_deadline_{false};
};

/// Short periods that hold all inequalities.
timings short_periods();

/// Member `name` of a, b and c; a may create the cluster.
config config_of(const std::string& name);

/// A node with these, and what it was told.
struct bench {
  std::shared_ptr<shared_store> store = std::make_shared<shared_store>();
  std::shared_ptr<fake_postgres> postgres = std::make_shared<fake_postgres>();
  std::mutex mutex;
  std::vector<std::string> audits, alarms; ///< guarded by the mutex
  std::atomic<bool> disk_full{false}, disk_hangs{false};
  memory kept; ///< as last remembered; guarded by the mutex

  std::unique_ptr<node> start(const std::string& name, memory before = {});
  bool heard(const std::string& audit);
};

} // namespace harmony::failover::test
