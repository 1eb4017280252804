#pragma once

#include "core/backoff.hpp"
#include "model/outcome.hpp"

namespace harmony {

/// How calls to the store are repeated that failed while it was connected.
struct store_retries {
  /// What may pass any moment: no answer, no connection, no leader.
  duration soon = std::chrono::seconds{1};
  /// What somebody must mend: no permission, no bucket, no space.
  backoff_policy refused{std::chrono::seconds{1}, std::chrono::seconds{15}};

  /// Before retry number `failures` (1, 2, …); `jitter` in [0, 1).
  [[nodiscard]] duration delay(ec why, std::uint32_t failures, double jitter) const noexcept {
    const bool passing =
      why == ec::timed_out || why == ec::store_unavailable || why == ec::conflict;
    return passing ? soon : retry_delay(refused, failures, jitter);
  }
};

} // namespace harmony
