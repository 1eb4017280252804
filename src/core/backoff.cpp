#include "core/backoff.hpp"

#include <algorithm>

namespace harmony {

duration retry_delay(const backoff_policy& policy, std::uint32_t failures, double jitter) noexcept {
  if (failures == 0 || policy.base <= duration::zero())
    return duration::zero();
  auto delay = std::min(policy.base, policy.cap);
  for (std::uint32_t i = 1; i < failures && delay < policy.cap; ++i)
    delay = delay > policy.cap / 2 ? policy.cap : delay * 2;
  const auto factor = 1.0 + policy.spread * (std::clamp(jitter, 0.0, 1.0) - 0.5);
  const auto jittered = static_cast<double>(delay.count()) * factor;
  return duration{static_cast<duration::rep>(jittered)};
}

} // namespace harmony
