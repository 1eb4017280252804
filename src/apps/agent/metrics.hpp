#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "actors/counters.hpp"
#include "actors/heartbeat.hpp"
#include "model/status.hpp"

namespace harmony {

/// What the agent's metrics are made of: counters that its actors keep, and its newest status.
/// Thread-safe.
class metrics_source {
public:
  std::string agent;
  std::string version;
  std::shared_ptr<const heartbeat_counters> beats;
  std::shared_ptr<const status_counters> writes;
  std::map<std::string, std::shared_ptr<const lane_counters>> lanes; ///< by name

  /// Takes in a new status document.
  void keep(const std::string& text);

  /// Everything in Prometheus' text format, version 0.0.4.
  [[nodiscard]] std::string text() const;

private:
  mutable std::mutex mutex_;
  std::string status_; ///< read only when somebody asks
};

/// Pure: what a status says, in Prometheus' text format.
std::string metrics_of(const agent_status& s);

} // namespace harmony
