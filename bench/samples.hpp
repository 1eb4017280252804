#pragma once

#include <algorithm>
#include <chrono>
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
  [[nodiscard]] double at(double share) const {
    auto sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }

private:
  std::vector<double> values_;
};

/// One row of the result: "| what | median | 90 % | runs | target |".
inline void print_row(const std::string& what, const samples& s, const std::string& target) {
  std::printf("| %s | %.2f | %.2f | %zu | %s |\n", what.c_str(), s.median(), s.at(0.9), s.count(),
              target.c_str());
  std::fflush(stdout);
}

} // namespace harmony::bench
