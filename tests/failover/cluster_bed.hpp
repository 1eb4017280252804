#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/failover/timings.hpp"
#include "failover/pg_client.hpp"
#include "model/status.hpp"
#include "posix/descriptor.hpp"
#include "support/nats_server.hpp"
#include "support/process.hpp"
#include "support/tcp_proxy.hpp"
#include "support/temp_dir.hpp"
#include "transport/store.hpp"

namespace harmony::test {

struct cluster_options {
  std::size_t members = 3;
  std::string mode = "async";
  std::string profile = "fast";
  /// More fields of each member's spec, each with a comma before it.
  std::string more;
};

/// One member of a cluster on this machine: a real harmony-agent, harmony-pgguard and PostgreSQL,
/// in a folder of its own. The others and the store are reached over proxies that can be cut.
class bed_member {
public:
  /// `agent_id`: its name, where that is not another's.
  bed_member(std::string name, const nats_server& server, std::string agent_id = {});
  ~bed_member();
  bed_member(const bed_member&) = delete;
  bed_member& operator=(const bed_member&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& agent_id() const { return agent_id_; }
  /// More fields of its spec, each with a comma before it; from the next apply on.
  void specify(std::string more) { more_ = std::move(more); }
  [[nodiscard]] const std::string& more() const { return more_; }
  [[nodiscard]] int port() const { return port_; }
  /// Where the other members reach its PostgreSQL.
  [[nodiscard]] int public_port() const { return to_postgres_->port(); }
  [[nodiscard]] std::string conninfo() const;
  [[nodiscard]] std::string data() const { return folder_ / "data"; }
  [[nodiscard]] tcp_proxy& to_store() { return *to_store_; }
  [[nodiscard]] tcp_proxy& to_postgres() { return *to_postgres_; }

  void start_guard();
  /// `more`: of its environment.
  void start_agent(const std::map<std::string, std::string>& more = {});
  [[nodiscard]] bool has_agent() const { return agent_ != nullptr; }
  [[nodiscard]] std::string agent_log() const {
    return agent_ ? agent_->complaints() : std::string{};
  }
  [[nodiscard]] std::string guard_log() const {
    return guard_ ? guard_->complaints() : std::string{};
  }
  [[nodiscard]] std::string postgres_log() const;

  void kill_agent();
  void stop_agent(); ///< SIGTERM, and waits
  void freeze_agent();
  void thaw_agent();
  void freeze_guard(); ///< and its backstop
  void thaw_guard();
  /// To one of PostgreSQL's own processes, by its backend_type.
  pid_t signal_backend(const std::string& type, int number) const;
  void kill_postmaster() const;
  void signal_servers(int number) const; ///< each process of PostgreSQL
  void freeze_postgres() const;
  void thaw_postgres() const;
  /// All at once, as where the power fails.
  void cut_power();
  void restore_power();

  /// A value that a query gives, by a session of its own.
  [[nodiscard]] std::optional<std::string> ask(const std::string& sql) const;
  [[nodiscard]] std::vector<pid_t> servers() const;
  /// Another one after its data were cloned, the same after they were rewound.
  [[nodiscard]] std::string folder_of_data() const;

private:
  [[nodiscard]] pid_t postmaster() const;
  void signal_guard(int number);

  std::string name_, agent_id_, more_;
  temp_dir folder_;
  std::string owner_; ///< empty: this user
  int port_;
  std::unique_ptr<tcp_proxy> to_store_, to_postgres_;
  std::unique_ptr<process> guard_, agent_;
};

class cluster_bed {
public:
  explicit cluster_bed(cluster_options how = {});
  ~cluster_bed();
  cluster_bed(const cluster_bed&) = delete;
  cluster_bed& operator=(const cluster_bed&) = delete;

  /// All members run, the first is the primary, the others stream from it.
  void start();

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  bed_member& operator[](std::size_t i) { return *members_[i]; }
  [[nodiscard]] nats_server& server() { return server_; }

  /// Who is writable now.
  bed_member* primary();
  /// Waits until somebody but `not_this` is; fails the test with all logs where nobody comes to be.
  bed_member& await_primary(const bed_member* not_this = nullptr,
                            std::chrono::seconds limit = std::chrono::seconds{40});
  /// Waits until each member but those `without` streams from the primary.
  void await_whole(std::size_t without = 0, std::chrono::seconds limit = std::chrono::seconds{60});
  [[nodiscard]] const cluster_options& how() const { return how_; }
  /// Another spec for all of them.
  void apply(const cluster_options& how);
  /// The same with what members specify; waits until those with an agent have taken it.
  void apply();
  /// Another agent of this member's name, which is not started and no part of the cluster.
  std::unique_ptr<bed_member> double_of(const bed_member& m);
  /// harmonyctl, of this store.
  [[nodiscard]] run_result ctl(const std::vector<std::string>& words) const;

  /// What `harmonyctl failover status -o json` says.
  [[nodiscard]] nlohmann::json lease_status() const;
  [[nodiscard]] agent_status status(const bed_member& m) const;
  /// What its agent says of the member, e.g. "standby of a, epoch 1, timeline 1".
  [[nodiscard]] std::string words_of(const bed_member& m) const;
  /// Waits until all members have the rows of `writes` that the primary has; what differs. Only
  /// where nobody writes.
  [[nodiscard]] std::string differences(std::chrono::seconds limit = std::chrono::seconds{20});
  /// All logs, for a failure.
  [[nodiscard]] std::string story() const;

private:
  [[nodiscard]] std::string manifest(const bed_member& m) const;
  void put_manifest(const bed_member& m);

  cluster_options how_;
  nats_server server_;
  std::unique_ptr<store> link_;
  std::vector<std::unique_ptr<bed_member>> members_;
  generation_number generation_ = 0;
};

} // namespace harmony::test
