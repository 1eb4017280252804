#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "failover/health_server.hpp"
#include "failover/member.hpp"
#include "failover/memory_file.hpp"
#include "failover/node.hpp"
#include "topology/clusters.hpp"

namespace harmony::failover {

/// How a host comes by what its members need.
struct host_parts {
  std::string state_dir;             ///< where each member's memory is kept
  std::string guard_dir;             ///< where their guards listen, at CLUSTER/guard.sock
  std::vector<std::string> launcher; ///< see member_settings
  std::function<outcome<std::shared_ptr<lease_store>>(const member_settings&)> store;
  std::function<std::shared_ptr<database>(const member_settings&)> postgres;
  std::function<outcome<void>(const postgres_cluster_spec&, const member_settings&,
                              const call_limits&)>
    prepare;
  std::function<void(const std::string& cluster, const fx::audit&)> audit;
  std::function<void(const std::string& cluster, const std::string& message)> alarm;
};

/// The members of failover clusters that this device runs, each an actor of its own. Thread-safe;
/// `run` and `end` of one cluster wait for each other.
class host final : public cluster_runtime {
public:
  explicit host(host_parts parts);
  /// Hands over what is primary, and leaves standbys running: the agent ends, not the clusters.
  ~host() override;
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  outcome<cluster_look> look(const std::string& cluster) override;
  void on_change(std::function<void(const std::string& cluster)> sink) override;
  outcome<void> prepare(const postgres_cluster_spec& spec, const call_limits& limits) override;
  outcome<void> run(const postgres_cluster_spec& spec, const call_limits& limits) override;
  outcome<void> end(const std::string& cluster, const call_limits& limits) override;

private:
  struct member;

  static outcome<void> serve(const std::shared_ptr<member>& m, const postgres_endpoint& at);
  [[nodiscard]] member_settings settings_for(const postgres_cluster_spec& spec) const;
  outcome<void> start(member& m, const postgres_cluster_spec& spec);
  [[nodiscard]] memory_file memory_of(const std::string& cluster) const;
  std::shared_ptr<member> find(const std::string& cluster);
  std::shared_ptr<member> find_or_add(const std::string& cluster);

  host_parts parts_;
  std::mutex sink_mutex_; // guards the sink, and is held while it is called
  std::function<void(const std::string&)> sink_;

  std::mutex mutex_; // guards the members
  std::map<std::string, std::shared_ptr<member>> members_;
};

} // namespace harmony::failover
