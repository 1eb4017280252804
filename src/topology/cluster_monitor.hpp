#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "topology/clusters.hpp"
#include "topology/monitor.hpp"
#include "topology/timed_listing.hpp"

namespace harmony {

/// Watches members of PostgreSQL clusters: what the runtime tells is a hint. A fact's fingerprint
/// is the look but for the declaration that it runs with, in which a secret may be.
class cluster_monitor final : public runtime_monitor {
public:
  /// Shared with a relist that outlives the monitor.
  explicit cluster_monitor(std::shared_ptr<cluster_runtime> runtime)
    : runtime_(std::move(runtime)), listing_("the PostgreSQL members") {}
  cluster_monitor(const cluster_monitor&) = delete;
  cluster_monitor& operator=(const cluster_monitor&) = delete;
  ~cluster_monitor() override { cluster_monitor::stop(); }

  void start(on_hint sink) override;
  void stop() override { runtime_->on_change({}); }
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override { return true; }

private:
  std::shared_ptr<cluster_runtime> runtime_;
  timed_listing listing_;
  std::mutex mutex_;
  std::set<std::string> targets_; ///< guarded by mutex_
};

} // namespace harmony
