#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace harmony::bench {

/// Measured values of one thing, in milliseconds unless its name says otherwise.
class samples {
public:
  void add(double value) { values_.push_back(value); }

  template <class Function>
  void time(Function f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    add(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }

  /// Precondition: something was added.
  [[nodiscard]] double median() const { return at(0.5); }
  /// The smallest value that at least this share of all does not exceed.
  [[nodiscard]] double at(double share) const {
    auto sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }

private:
  std::vector<double> values_;
};

inline void print_head() {
  std::puts("| what | median | 90 % | 99 % | runs | target |\n|---|---|---|---|---|---|");
}

/// One row of the result. With fewer than 100 runs the 99 % are the slowest one.
inline void print_row(const std::string& what, const samples& s, const std::string& target) {
  std::printf("| %s | %.2f | %.2f | %.2f | %zu | %s |\n", what.c_str(), s.median(), s.at(0.9),
              s.at(0.99), s.count(), target.c_str());
  std::fflush(stdout);
}

/// How many times longer one takes than the other, by their medians.
inline void print_ratio(const std::string& what, const samples& s, const samples& bare,
                        const std::string& target) {
  std::printf("| ratio: %s | %.2f | | | | %s |\n", what.c_str(), s.median() / bare.median(),
              target.c_str());
  std::fflush(stdout);
}

} // namespace harmony::bench
