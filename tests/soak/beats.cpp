#include "soak/beats.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace harmony::soak {

namespace {

using namespace std::chrono_literals;
constexpr auto around = 30s; // how far from a gap the control tells of the machine's load

std::unique_ptr<store> connect(const std::string& url, const std::string& name) {
  store_options to;
  to.url = url;
  to.name = name;
  return open_store(to).value();
}

} // namespace

double gap_list::at(double share) const {
  if (gaps.empty())
    return 0;
  std::vector<double> sorted;
  sorted.reserve(gaps.size());
  for (const auto& g : gaps)
    sorted.push_back(g.ms());
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void beat_watch::chain::beat(steady::time_point now, double waited) {
  if (!expected)
    return;
  if (returning)
    seen.returns.push_back(std::chrono::duration<double, std::milli>(now - back).count());
  if (has_last) {
    seen.gaps.push_back({last, now, waited});
    worst = std::max(worst, seen.gaps.back().ms());
  }
  returning = false;
  has_last = true;
  last = now;
}

beat_watch::beat_watch(const std::string& store_url, std::chrono::milliseconds period)
  : period_(period),
    listener_(connect(store_url, "soak listener")),
    sender_(connect(store_url, "soak control")) {
  watch_ = listener_
             ->watch_beats([this](const std::string& sender) {
               const auto now = steady::now();
               const std::lock_guard lock{mutex_};
               if (sender == "control")
                 return control_.beat(now, 0);
               if (sender != "pi-1")
                 return;
               auto delays = run_delays_of(agent_pid_);
               agent_.beat(now, waited(agent_delays_, delays));
               agent_delays_ = std::move(delays);
             })
             .value();
  control_thread_ = std::thread{[this] { send_control(); }};
}

beat_watch::~beat_watch() {
  {
    const std::lock_guard lock{mutex_};
    ended_ = true;
  }
  ends_.notify_all();
  control_thread_.join();
  watch_.reset();
}

void beat_watch::send_control() {
  auto due = steady::now();
  std::unique_lock lock{mutex_};
  while (!ends_.wait_until(lock, due, [this] { return ended_; })) {
    lock.unlock();
    (void)sender_->beat("control", "{}"); // fails while the server is away
    lock.lock();
    due = std::max(due + period_, steady::now());
  }
}

void beat_watch::server_goes() {
  const std::lock_guard lock{mutex_};
  agent_.goes();
  control_.goes();
}

void beat_watch::server_is_back() {
  const std::lock_guard lock{mutex_};
  agent_.is_back();
  control_.is_back();
}

void beat_watch::agent_goes() {
  const std::lock_guard lock{mutex_};
  agent_.goes();
}

void beat_watch::agent_is_back(pid_t pid) {
  const std::lock_guard lock{mutex_};
  agent_pid_ = pid;
  agent_.is_back();
}

double beat_watch::worst_since() {
  const std::lock_guard lock{mutex_};
  return std::exchange(agent_.worst, 0);
}

// The bound is the period and 50 ms. A busy machine lets a thread wait now and then. By what the
// kernel let the agent wait, and by what the control was late in the minute around (which tells of
// the server and the listener), a gap may be longer.
beat_watch::verdict beat_watch::judge() const {
  const std::lock_guard lock{mutex_};
  verdict out{agent_.seen, control_.seen, 0, {}};
  const auto period = static_cast<double>(period_.count());
  for (const auto& g : out.agent.gaps) {
    const auto excess = g.ms() - period - 50;
    if (excess <= 0)
      continue;
    ++out.late;
    double explained = 0;
    for (const auto& c : out.control.gaps)
      if (c.to >= g.from - around && c.from <= g.to + around)
        explained = std::max(explained, c.ms() - period);
    explained += g.waited;
    if (excess > explained) {
      std::array<char, 160> text{};
      std::snprintf(
        text.data(), text.size(),
        "a gap of %.0f ms between heartbeats at %.3f min; the machine explains %.0f ms of it",
        g.ms(), std::chrono::duration<double, std::ratio<60>>(g.to - start_).count(), explained);
      out.unexplained.emplace_back(text.data());
    }
  }
  return out;
}

} // namespace harmony::soak
