#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/lifecycle.hpp"

namespace harmony {

/// What a lane counts, for the metrics. Written by the lane alone.
struct lane_counters {
  struct endings {
    std::atomic<std::uint64_t> done{0};
    std::atomic<std::uint64_t> failed{0};
  };
  std::atomic<std::uint32_t> running{0};
  std::atomic<std::uint32_t> waiting{0};
  std::atomic<std::uint32_t> stuck{0};   ///< run for long while others wait
  std::atomic<std::uint64_t> expired{0}; ///< given up at their deadline
  std::array<endings, 4> ended;          ///< by operation_kind

  endings& of(operation_kind k) { return ended.at(static_cast<std::size_t>(k)); }
};

/// What the status aggregator counts.
struct status_counters {
  std::atomic<bool> connected{false}; ///< to the store
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> failed{0};
};

} // namespace harmony
