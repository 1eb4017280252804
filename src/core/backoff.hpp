#pragma once

#include <cstdint>

#include "core/time.hpp"

namespace harmony {

/// How retries are spaced: Kubernetes' crash-loop curve.
struct backoff_policy {
  duration base = std::chrono::seconds{1};
  duration cap = std::chrono::minutes{5};
  double spread = 0.2; ///< jitter: a delay d becomes d·(1 ± spread/2)
  duration healthy_after = std::chrono::minutes{10}; ///< healthy for so long: start over

  friend bool operator==(const backoff_policy&, const backoff_policy&) = default;
};

/// The delay before retry number `failures` (1, 2, …): base·2^(failures-1), at most cap, jittered
/// by `jitter` in [0, 1). Total: any count saturates at the cap. 0 failures give no delay.
duration retry_delay(const backoff_policy& policy, std::uint32_t failures, double jitter) noexcept;

} // namespace harmony
