#pragma once

#include <cstdint>
#include <optional>

#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "model/status.hpp"

namespace harmony {

/// The holds that operators set, of one resource or of the whole device. They outlive the agent,
/// and end by themselves. Thread-safe; writes block until durable.
class hold_memory {
public:
  virtual ~hold_memory() = default;

  /// Holds `what` (absent: the whole device); replaces the hold before.
  virtual outcome<void> hold(const std::optional<resource_id>& what, const resource_hold& h) = 0;

  /// Ends the hold of `what`, or every hold where it is absent; gives how many there were.
  virtual outcome<std::uint32_t> unhold(const std::optional<resource_id>& what) = 0;

  /// What holds `id` at `now`: of its own hold and the device's, the one that ends later. Reads
  /// memory only.
  [[nodiscard]] virtual std::optional<resource_hold> held(const resource_id& id,
                                                          timestamp now) const = 0;
};

} // namespace harmony
