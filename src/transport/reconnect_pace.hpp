#pragma once

#include <algorithm>
#include <chrono>

namespace harmony::nats {

/// How long after the beginning of one attempt to connect the next one begins, before jitter.
///
/// To ask for a server that is not there costs it nothing, so it is asked often, and a device is
/// back soon after any outage. One that is there and does not let the device in (log-in refused,
/// handshake not finished, connection ended at once) is asked less often: it may be the fleet's
/// coming back that is too much for it.
class reconnect_pace {
public:
  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds first{100};
  static constexpr milliseconds absent_cap{1500};
  static constexpr milliseconds refusing_cap{5000};
  /// A connection that lived for so long was a good one.
  static constexpr milliseconds settled{10'000};

  /// A round failed; `met`: some server was there.
  milliseconds failed(bool met) {
    const auto delay = std::min(next_, met ? refusing_cap : absent_cap);
    next_ = std::min(next_ * 2, refusing_cap);
    return delay;
  }

  /// A connection ended that was up for `lived`.
  milliseconds lost(milliseconds lived) {
    if (lived >= settled)
      next_ = first;
    return failed(true);
  }

private:
  milliseconds next_ = first;
};

} // namespace harmony::nats
