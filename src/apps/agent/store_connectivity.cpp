#include "apps/agent/store_connectivity.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace harmony {

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

milliseconds left_until(clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
  return std::max(left, milliseconds{1});
}

/// Whether the store answered, be it with a no.
bool answers(store& link, const std::string& agent, milliseconds timeout) {
  const auto got = link.get(bucket::desired_state, agent, timeout);
  return got || got.error().code == ec::store_denied || got.error().code == ec::bucket_not_found;
}

/// Waits for a connection, at most until `deadline`.
class connected_state {
public:
  void set(bool connected) {
    const std::lock_guard lock{mutex_};
    connected_ = connected;
    changed_.notify_all();
  }
  bool wait_until(clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [&] { return connected_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
};

bool answers_anew(const store_options& to, const std::string& agent, clock::time_point deadline) {
  connected_state state;
  const auto link = open_store(to);
  if (!link)
    return false;
  (*link)->watch_connection([&](bool connected, const std::string&) { state.set(connected); });
  const bool yes = state.wait_until(deadline) && answers(**link, agent, left_until(deadline));
  (*link)->close();
  return yes;
}

} // namespace

bool store_connectivity::reachable(clock::time_point deadline) {
  // Half of the time is the agent's own connection's.
  const auto half = std::max(left_until(deadline) / 2, milliseconds{1});
  return answers(link_, agent_, half) || answers_anew(fresh_, agent_, deadline);
}

} // namespace harmony
