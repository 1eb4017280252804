#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/session.hpp"
#include "core/checkup.hpp"
#include "identity/jwt.hpp"
#include "model/commands.hpp"

namespace harmony::ctl {

/// What was seen of one bucket.
struct bucket_sight {
  bucket which = bucket::desired_state;
  outcome<std::size_t> keys = std::size_t{0}; ///< how many, or why they cannot be listed
  /// Whether a write would be taken; absent: operators need not write it.
  std::optional<outcome<void>> write;
};

/// What was seen of the store.
struct store_sight {
  std::string url;
  std::optional<failure> unreachable; ///< why; the rest is not known then
  std::chrono::milliseconds round_trip{0};
  std::vector<bucket_sight> buckets;
  outcome<std::size_t> beating = std::size_t{0}; ///< agents whose newest heartbeat is not old
  std::size_t agents = 0;
  /// This machine's clock minus the store's; absent: no heartbeat came that would tell.
  std::optional<std::chrono::milliseconds> clock_lead;
  /// Those of this operator; absent: none were given. Known also where the store is not reached.
  std::optional<outcome<jwt_head>> credentials;
  timestamp now; ///< by this machine's clock
};

/// What was seen of one agent.
struct agent_sight {
  agent_record record;
  outcome<ping_result> answer = ping_result{};
};

/// Pure: what an operator should know of the store, and do.
findings judge(const store_sight& s);
/// Likewise, of an agent.
findings judge(const agent_sight& a, std::chrono::system_clock::time_point now);

} // namespace harmony::ctl
