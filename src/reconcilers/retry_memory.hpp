#pragma once

#include <cstdint>
#include <string>

#include "model/ids.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// How a resource fared at one desire.
struct retry_counts {
  std::string desire;         ///< that the counts speak of; empty: nothing is known
  std::uint32_t failures = 0; ///< in a row: the backoff's exponent
  std::uint32_t restarts = 0; ///< repairs of what was in place

  friend bool operator==(const retry_counts&, const retry_counts&) = default;
};

/// Counters that outlive the agent, so that a restart is no way around the backoff. Thread-safe;
/// writes block until durable.
class retry_memory {
public:
  virtual ~retry_memory() = default;
  virtual outcome<void> remember(const resource_id& owner, const retry_counts& counts) = 0;
  virtual outcome<void> forget(const resource_id& owner) = 0;
  /// Reads memory only.
  [[nodiscard]] virtual retry_counts recall(const resource_id& owner) const = 0;
};

} // namespace harmony
