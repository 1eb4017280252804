#include "core/failover/timings.hpp"

#include <string>

namespace harmony::failover {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

/// An observer's window is longer than the holder's lease by so much at least, beyond what the
/// clocks' rates cost: the resolution of timers and a scheduler's delay.
constexpr duration margin = 100ms;

/// What a guard takes for a deadline of its own clock (guard/machine.hpp).
constexpr duration longest_lease = std::chrono::minutes{5};

std::string ms(duration d) {
  return std::to_string(duration_cast<milliseconds>(d).count()) + " ms";
}

duration scaled(duration d, double by) {
  return duration_cast<duration>(std::chrono::duration<double, std::nano>(d) * by);
}

void positive(std::vector<failure>& out, std::string_view name, duration d) {
  if (d <= 0ms)
    out.push_back({ec::invalid_spec, "timings: " + std::string{name} + " is " + ms(d)
                                       + "; it must be longer than nothing"});
}

} // namespace

timings fast_profile() {
  return {};
}

timings normal_profile() {
  timings t;
  t.lease = 14s;
  t.kill = 1s;
  t.stop = 1s;
  t.window = 15s;
  t.renew = 1s;
  t.request = 1s;
  return t;
}

outcome<timings> profile(std::string_view name) {
  if (name == "fast")
    return fast_profile();
  if (name == "normal")
    return normal_profile();
  return {ec::invalid_spec, "profile: there is no '" + std::string{name}
                              + "'; choose 'fast' or 'normal', or give " + "all timings"};
}

timings timings_of(const postgres_cluster_spec& spec) {
  auto t = spec.profile == postgres_profile::fast ? fast_profile() : normal_profile();
  const auto take = [](duration& to, std::uint32_t given) {
    if (given != 0)
      to = milliseconds{given};
  };
  take(t.lease, spec.timings.lease);
  take(t.kill, spec.timings.kill);
  take(t.stop, spec.timings.stop);
  take(t.window, spec.timings.window);
  take(t.renew, spec.timings.renew);
  take(t.request, spec.timings.request);
  return t;
}

duration timings::least_window(duration length) const {
  return scaled(length, (1 + clock_error) / (1 - clock_error)) + margin;
}

std::vector<failure> validate(const timings& t) {
  std::vector<failure> out;
  positive(out, "lease", t.lease);
  positive(out, "kill", t.kill);
  positive(out, "stop", t.stop);
  positive(out, "window", t.window);
  positive(out, "renew", t.renew);
  positive(out, "request", t.request);
  if (!(t.clock_error >= 0.0 && t.clock_error <= 0.1))
    out.push_back({ec::invalid_spec, "timings: clockError is " + std::to_string(t.clock_error)
                                       + "; it must be from 0 to 0.1"});
  if (!out.empty())
    return out;
  const auto least = t.least_window(t.lease);
  if (t.window < least)
    out.push_back({ec::invalid_spec,
                   "timings: window >= lease·(1 + clockError)/(1 - clockError) + " + ms(margin)
                     + " does not hold: " + ms(t.window) + " < " + ms(least)
                     + "; another member could take over while the old primary may still write. "
                       "Make window longer (lease + 500 ms), or lease shorter"});
  const auto needed = t.renew + 2 * t.request;
  const auto given = t.lease - t.kill - t.stop;
  if (needed > given)
    out.push_back({ec::invalid_spec, "timings: renew + 2·request <= lease - kill - stop does not "
                                     "hold: "
                                       + ms(needed) + " > " + ms(given)
                                       + "; one lost answer would stop a healthy primary. Make "
                                         "lease longer, or renew or request shorter"});
  if (t.lease - t.kill > longest_lease)
    out.push_back(
      {ec::invalid_spec, "timings: lease - kill <= 5 min does not hold: " + ms(t.lease - t.kill)
                           + "; the guard takes no later deadline. Make lease shorter"});
  // With the one above it leaves a window that three missed beats cannot fill.
  if (4 * t.renew > t.window)
    out.push_back({ec::invalid_spec, "timings: 4·renew <= window does not hold: " + ms(4 * t.renew)
                                       + " > " + ms(t.window)
                                       + "; a stale report could be taken for a fresh one. Make "
                                         "renew shorter"});
  return out;
}

} // namespace harmony::failover
