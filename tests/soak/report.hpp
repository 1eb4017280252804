#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "soak/beats.hpp"
#include "soak/figures.hpp"

namespace harmony::soak {

/// What a run counted and what it found wrong.
class report {
public:
  /// Something that was done, until now.
  void count(const std::string& what);
  /// Something that must not be; printed at once.
  void violation(const std::string& text);
  void converged_after(double ms) { convergences_.push_back(ms); }
  void load(double one_minute) { loads_.push_back(one_minute); }

  [[nodiscard]] double minutes() const;
  [[nodiscard]] std::size_t violations() const { return violations_.size(); }
  [[nodiscard]] std::size_t operations() const;
  [[nodiscard]] std::size_t rests() const { return convergences_.size(); }

  /// Judges memory, descriptors and threads of each life that was long enough.
  void judge(const std::vector<life>& lives);
  void judge(const beat_watch::verdict& beats, double period_ms);

  /// The table for people; `to_json` has the same and more.
  void print() const;
  [[nodiscard]] std::string to_json(std::uint64_t seed) const;

private:
  struct growth_row {
    double minutes = 0; ///< length of the life
    std::size_t samples = 0;
    line_fit rss, anonymous; ///< KiB a minute
    figures first, last;     ///< after the warm-up
    int descriptors = 0, threads = 0;
    int descriptors_max = 0, threads_max = 0;
    std::vector<figures> all;
  };
  struct violation_row {
    double minute = 0;
    std::string text;
  };
  /// The life that tells most: the longest after its warm-up.
  [[nodiscard]] const growth_row* longest() const;
  [[nodiscard]] double convergence_at(double share) const;
  [[nodiscard]] double highest_load() const;

  steady::time_point start_ = steady::now();
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::pair<double, std::string>> trace_; ///< the same in order, at minutes
  std::vector<violation_row> violations_;
  std::vector<double> convergences_;
  std::vector<double> loads_;
  std::vector<growth_row> growths_;
  std::size_t lives_ = 0;
  beat_watch::verdict beats_;
  double period_ms_ = 0;
};

} // namespace harmony::soak
