#include <map>
#include <ostream>
#include <set>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/transitions.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::steady_clock;

/// What the store's threads leave for the printing thread.
struct inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::set<std::string> changed; ///< "": all
  std::set<std::string> beaten;

  void put(std::set<std::string> inbox::*where, const std::string& agent) {
    const std::lock_guard lock{mutex};
    (this->*where).insert(agent);
    arrived.notify_all();
  }
};

/// Follows the statuses and heartbeats of one agent or of all, and prints what changes.
class follower {
public:
  follower(const context& c, store& from, std::string agent)
    : c_(c), from_(from), agent_(std::move(agent)) {}

  exit_code run(const std::stop_token& stop) {
    const auto box = box_;
    const std::stop_callback interrupted{stop, [box] {
                                           const std::lock_guard lock{box->mutex};
                                           box->arrived.notify_all();
                                         }};
    auto statuses = from_.watch(bucket::actual_state, agent_,
                                [box](const std::string& key) { box->put(&inbox::changed, key); });
    if (!statuses)
      return c_.fail(statuses.error());
    // Without the right to see heartbeats the rest still works.
    const auto beats =
      from_.watch_beats([box](const std::string& key) { box->put(&inbox::beaten, key); });
    box->put(&inbox::changed, "");

    while (!stop.stop_requested() && c_.env.out) {
      const auto [changed, beaten] = next(stop);
      for (const auto& agent : beaten)
        heard(agent);
      if (changed.count("") != 0) {
        if (const auto why = read_all(); !why)
          return c_.fail(why.error());
      } else {
        for (const auto& agent : changed)
          if (const auto why = read(agent); !why)
            report(why.error());
      }
      find_silent();
    }
    return exit_code::ok;
  }

private:
  struct followed {
    std::optional<agent_status> status;
    steady_clock::time_point heard; ///< of the newest heartbeat
    bool online = false;
  };

  std::pair<std::set<std::string>, std::set<std::string>> next(const std::stop_token& stop) {
    auto end = steady_clock::now() + std::chrono::hours{1};
    for (const auto& [agent, f] : agents_)
      if (f.online)
        end = std::min(end, f.heard + offline_after);
    std::unique_lock lock{box_->mutex};
    box_->arrived.wait_until(lock, end, [&] {
      return stop.stop_requested() || !box_->changed.empty() || !box_->beaten.empty();
    });
    return {std::exchange(box_->changed, {}), std::exchange(box_->beaten, {})};
  }

  [[nodiscard]] budget time() const { return budget{c_.global.timeout}; }

  outcome<void> read_all() {
    auto ids =
      agent_.empty() ? agent_ids(from_, time()) : outcome<std::vector<std::string>>{{agent_}};
    if (!ids) {
      // A connection that is lost comes back, and with it a hint.
      if (agents_.empty())
        return ids.error();
      report(ids.error());
      return {};
    }
    for (const auto& id : *ids)
      if (const auto why = read(id); !why)
        report(why.error());
    return {};
  }

  outcome<void> read(const std::string& agent) {
    const bool first = agents_.count(agent) == 0;
    const auto record = read_agent(from_, agent, time(), first);
    if (!record)
      return record.error();
    auto& known = agents_[agent];
    if (first && record->beat) {
      const auto age = std::max(c_.env.now() - record->beat->at, std::chrono::nanoseconds{0});
      known.heard = steady_clock::now() - std::chrono::duration_cast<steady_clock::duration>(age);
      known.online = age <= offline_after;
    }
    if (first && !known.online)
      print({agent, "", "", "Offline", 0, "",
             record->beat ? "its last heartbeat is old" : "no heartbeat seen"});
    if (!record->status)
      return {};
    for (const auto& t : transitions(known.status, *record->status))
      print(t);
    known.status = record->status;
    return {};
  }

  void heard(const std::string& agent) {
    const auto known = agents_.find(agent);
    if (known == agents_.end()) // not followed, or its first status is still to come
      return;
    known->second.heard = steady_clock::now();
    if (!std::exchange(known->second.online, true))
      print({agent, "", "Offline", "Online", 0, "", "heartbeats again"});
  }

  void find_silent() {
    const auto now = steady_clock::now();
    for (auto& [agent, f] : agents_)
      if (f.online && now - f.heard >= offline_after) {
        f.online = false;
        print({agent, "", "Online", "Offline", 0, "", "no heartbeat for 30 s"});
      }
  }

  void print(const transition& t) const {
    const auto time = format_time(std::chrono::floor<milliseconds>(c_.env.now()));
    switch (c_.global.format) {
    case output_format::table: c_.print(render(t, time, c_.colour()) + "\n"); return;
    case output_format::json: c_.print(to_value(t, time).dump() + "\n"); return; // one a line
    case output_format::yaml: c_.print("---\n" + to_yaml(to_value(t, time))); return;
    }
  }

  void report(const failure& why) const {
    c_.env.err << "warning: " << printable(why.message) << "\n" << std::flush;
  }

  const context& c_;
  store& from_;
  const std::string agent_;
  const std::shared_ptr<inbox> box_ = std::make_shared<inbox>();
  std::map<std::string, followed> agents_;
};

} // namespace

exit_code run(const context& c, const watch_options& o) {
  // Before the store starts its threads: they inherit the blocked signals.
  const auto stop = c.env.on_interrupt();
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  return follower{c, **from, o.agent}.run(stop);
}

} // namespace harmony::ctl
