#include "soak/report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace harmony::soak {

namespace {

constexpr double warm_up = 5;         // minutes
constexpr double shortest = 5;        // minutes after the warm-up from which a line says something
constexpr double limit = 1024.0 / 60; // KiB a minute: 1 MiB an hour
constexpr int spread = 2;             // descriptors or threads that come and go

std::string line(const char* format, double a, double b) {
  std::array<char, 200> text{};
  std::snprintf(text.data(), text.size(), format, a, b);
  return text.data();
}

} // namespace

double report::minutes() const {
  return std::chrono::duration<double, std::ratio<60>>(steady::now() - start_).count();
}

void report::count(const std::string& what) {
  ++counts_[what];
  trace_.emplace_back(minutes(), what);
}

void report::violation(const std::string& text) {
  violations_.push_back({minutes(), text});
  std::printf("VIOLATION at %.1f min: %s\n", minutes(), text.c_str());
  std::fflush(stdout);
}

std::size_t report::operations() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& each) { return sum + each.second; });
}

// The line must be flatter than the limit; where the samples scatter so much that they do not say
// whether it is (twice the standard error), it is not held against the agent.
void report::judge(const std::vector<life>& lives) {
  lives_ = lives.size();
  for (const auto& one : lives) {
    const auto warm = one.after(warm_up);
    if (warm.size() < 10 || warm.back().minutes - warm.front().minutes < shortest)
      continue;
    growth_row row;
    row.minutes = one.samples.back().minutes;
    row.samples = warm.size();
    row.rss = fit(warm, &figures::rss_kib);
    row.anonymous = fit(warm, &figures::anonymous_kib);
    row.first = warm.front();
    row.last = warm.back();
    row.descriptors = growth(warm, &figures::descriptors);
    row.threads = growth(warm, &figures::threads);
    for (const auto& s : warm) {
      row.descriptors_max = std::max(row.descriptors_max, s.descriptors);
      row.threads_max = std::max(row.threads_max, s.threads);
    }
    row.all = one.samples;
    for (const auto* each : {&row.rss, &row.anonymous})
      if (each->slope - 2 * each->error > limit)
        violation(line("memory grows by %.2f +- %.2f MiB an hour", each->slope * 60 / 1024,
                       each->error * 60 / 1024));
    if (row.descriptors > spread)
      violation("descriptors grew by " + std::to_string(row.descriptors));
    if (row.threads > spread)
      violation("threads grew by " + std::to_string(row.threads));
    growths_.push_back(std::move(row));
  }
}

void report::judge(const beat_watch::verdict& beats, double period_ms) {
  period_ms_ = period_ms;
  beats_ = beats;
  for (const auto& each : beats.unexplained)
    violation(each);
}

const report::growth_row* report::longest() const {
  const auto it =
    std::max_element(growths_.begin(), growths_.end(),
                     [](const auto& a, const auto& b) { return a.minutes < b.minutes; });
  return it == growths_.end() ? nullptr : &*it;
}

double report::convergence_at(double share) const {
  if (convergences_.empty())
    return 0;
  auto sorted = convergences_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

double report::highest_load() const {
  return loads_.empty() ? 0 : *std::max_element(loads_.begin(), loads_.end());
}

void report::print() const {
  const auto& agent = beats_.agent;
  const auto& control = beats_.control;
  std::printf("\n| what | value |\n|---|---|\n");
  std::printf("| minutes, operations | %.1f, %zu |\n", minutes(), operations());
  for (const auto& [what, count] : counts_)
    std::printf("|   %s | %llu |\n", what.c_str(), static_cast<unsigned long long>(count));
  std::printf("| rests; converged after, ms: median, 90 %%, most | %zu; %.0f, %.0f, %.0f |\n",
              convergences_.size(), convergence_at(0.5), convergence_at(0.9), convergence_at(1));
  std::printf("| heartbeat gaps at %.0f ms: count; median, 99 %%, 99.9 %%, longest | %zu; %.0f, "
              "%.0f, %.0f, %.0f ms |\n",
              period_ms_, agent.gaps.size(), agent.at(0.5), agent.at(0.99), agent.at(0.999),
              agent.at(1));
  std::printf("|   the control's | %zu; %.0f, %.0f, %.0f, %.0f ms |\n", control.gaps.size(),
              control.at(0.5), control.at(0.99), control.at(0.999), control.at(1));
  std::printf("|   longer than period + 50 ms; of these not by the machine | %zu; %zu |\n",
              beats_.late, beats_.unexplained.size());
  const auto& returns = agent.returns;
  std::printf("| first heartbeat after an outage or start, longest | %.0f ms of %zu |\n",
              returns.empty() ? 0 : *std::max_element(returns.begin(), returns.end()),
              returns.size());
  std::printf("| lives of the agent; of these measured | %zu; %zu |\n", lives_, growths_.size());
  if (const auto* row = longest()) {
    std::printf("|   the longest: minutes, samples after the warm-up | %.1f, %zu |\n", row->minutes,
                row->samples);
    std::printf("|   RSS, first to last; growth | %.2f to %.2f MiB; %+.2f +- %.2f MiB/h |\n",
                row->first.rss_kib / 1024, row->last.rss_kib / 1024, row->rss.slope * 60 / 1024,
                row->rss.error * 60 / 1024);
    std::printf("|   own pages, likewise | %.2f to %.2f MiB; %+.2f +- %.2f MiB/h |\n",
                row->first.anonymous_kib / 1024, row->last.anonymous_kib / 1024,
                row->anonymous.slope * 60 / 1024, row->anonymous.error * 60 / 1024);
    std::printf("|   descriptors: first, last, most; growth | %d, %d, %d; %d |\n",
                row->first.descriptors, row->last.descriptors, row->descriptors_max,
                row->descriptors);
    std::printf("|   threads: first, last, most; growth | %d, %d, %d; %d |\n", row->first.threads,
                row->last.threads, row->threads_max, row->threads);
  }
  std::printf("| highest load of the machine | %.1f |\n", highest_load());
  std::printf("| violations | %zu |\n", violations_.size());
}

} // namespace harmony::soak
