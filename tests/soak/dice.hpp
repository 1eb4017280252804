#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace harmony::soak {

/// The run's one source of chance: a seed gives the same choices, though not the same moments.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}

  /// 0 to n - 1. Precondition: n > 0. By the remainder, which unlike the standard's distributions
  /// is the same everywhere.
  std::size_t below(std::size_t n) { return engine_() % n; }
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  template <class T>
  T& pick(std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace harmony::soak
