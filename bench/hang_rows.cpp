// Applies that never end, and what they hold up: nothing.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "bench.hpp"
#include "hanging.hpp"
#include "rows.hpp"
#include "support/nats_server.hpp"

namespace harmony::bench {

namespace {

using test::agent_process;
using test::temp_dir;
using namespace std::chrono_literals;
using wall = std::chrono::system_clock;

const auto heartbeat_period = 100ms; // agent_process's

/// Whether the resources "KIND/prefix0" to "KIND/prefix<count - 1>" are ready, and since when all
/// of them are.
std::optional<timestamp> ready_since(const agent_status& s, const std::string& kind,
                                     const std::string& prefix, int count) {
  timestamp last{};
  for (int i = 0; i < count; ++i) {
    const auto it = s.resources.find({kind, prefix + std::to_string(i)});
    if (it == s.resources.end() || it->second.phase != resource_phase::ready)
      return {};
    last = std::max(last, it->second.last_transition.value_or(timestamp{}));
  }
  return last;
}

/// Time from the write of the desired state until `count` resources were ready, by the agent's
/// clock in steps of 1 ms: while others are on their way, its status comes at intervals.
double time_ready(agent_process& agent, const std::string& resources, const std::string& kind,
                  const std::string& prefix, int count) {
  const auto begun = wall::now();
  agent.apply(resources);
  const auto status = agent.await(
    [&](const agent_status& s) { return ready_since(s, kind, prefix, count).has_value(); });
  const auto since = ready_since(status, kind, prefix, count);
  need(since.has_value(), "converging beside what hangs");
  return ms_between(begun, *since);
}

/// One of 64 hangs: how the other 63 fare, in turn with 63 that are alone.
void hang_one(const hanging_kind& kind) {
  constexpr int others = 63;
  agent_process agent{program, {}};
  agent.start();
  settle(agent, "");
  const auto healthy = list(hanging_kind::many(kind.healthy, "well-", others));
  const auto with_hanging = hanging_kind::one(kind.hanging, "hang") + "," + healthy;
  samples alone, beside;
  for (int i = 0; i < runs; ++i) {
    alone.add(time_ready(agent, healthy, kind.name, "well-", others));
    settle(agent, "");
    beside.add(time_ready(agent, with_hanging, kind.name, "well-", others));
    settle(agent, "");
  }
  print_row("63 of kind " + kind.name, alone, "-");
  print_row("the same beside one that hangs (" + kind.how + ")", beside, "-");
  print_ratio("63 " + kind.name + " beside one that hangs", beside, alone, "<= 1.1");
  agent.stop();
}

/// How far the time between two heartbeats is off, in milliseconds.
class heartbeat_watch {
public:
  explicit heartbeat_watch(store& link)
    : watch_(link.watch_beats([this](const std::string& agent) {
        if (!agent.empty())
          note(std::chrono::steady_clock::now());
      })) {}

  /// Waits until `count` of them were seen.
  samples deviations(std::size_t count) {
    const auto enough = [&] {
      const std::lock_guard lock{mutex_};
      return beats_.size() > count;
    };
    std::this_thread::sleep_for(heartbeat_period);
    while (!enough())
      std::this_thread::sleep_for(heartbeat_period);
    samples off;
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 1; i < beats_.size(); ++i)
      off.add(std::abs(ms_between(beats_[i - 1] + heartbeat_period, beats_[i])));
    return off;
  }

private:
  void note(std::chrono::steady_clock::time_point at) {
    const std::lock_guard lock{mutex_};
    beats_.push_back(at);
  }

  std::mutex mutex_;
  std::vector<std::chrono::steady_clock::time_point> beats_;
  outcome<std::unique_ptr<subscription>> watch_; // ends first
};

/// Times one more resource beside `others`, again and again. A file in place is seen on the device,
/// finer than the agent's clock.
samples time_one_more(agent_process& agent, const std::string& others, const hanging_kind& kind,
                      const std::filesystem::path& site) {
  samples s;
  for (int i = 0; i < runs; ++i) {
    const auto resources = others + "," + hanging_kind::one(kind.healthy, "more-0");
    if (kind.name == "File")
      s.time([&] {
        agent.apply(resources);
        spin([&] { return std::filesystem::exists(site / "more-0"); }, "one more file");
      });
    else
      s.add(time_ready(agent, resources, kind.name, "more-", 1));
    agent.apply(others);
    const resource_id id{kind.name, "more-0"};
    const auto is_gone = [&](const agent_status& now) {
      return now.observed_generation == agent.generation() && now.resources.count(id) == 0;
    };
    need(is_gone(agent.await(is_gone)), "removal of the one more");
  }
  return s;
}

/// All of 64 hang: heartbeats, and one more of the same kind and of another.
void hang_all(const hanging_kind& kind, const hanging_kind& other, const std::string& site) {
  constexpr int count = 64;
  test::nats_server server;
  agent_process agent{program, {}, server.url()};
  agent.start();
  const auto healthy = list(hanging_kind::many(kind.healthy, "well-", count));
  const auto hanging = list(hanging_kind::many(kind.hanging, "hang-", count));
  settle(agent, healthy);
  const auto measure = [&](const std::string& others, samples& same, samples& another) {
    heartbeat_watch beats{agent.link()};
    same = time_one_more(agent, others, kind, site);
    another = time_one_more(agent, others, other, site);
    return beats.deviations(200);
  };
  samples same_before, other_before, same, another;
  const auto calm = measure(healthy, same_before, other_before);
  agent.apply(hanging);
  const auto all_hang = [&](const agent_status& s) {
    return s.resources.size() == count
           && std::all_of(s.resources.begin(), s.resources.end(), [](const auto& each) {
                return each.second.phase == resource_phase::applying;
              });
  };
  need(all_hang(agent.await(all_hang)), "hanging of all");
  const auto off = measure(hanging, same, another);
  settle(agent, "");
  agent.stop();
  const auto beside = " beside 64 hanging " + kind.how;
  print_row("heartbeat period, off by, beside 64 healthy " + kind.name, calm, "-");
  print_row("heartbeat period, off by," + beside, off, "99 %: <= 20 ms");
  print_row("one more " + kind.name + " beside 64 healthy ones", same_before, "-");
  print_row("one more " + kind.name + beside, same, "-");
  print_ratio("one more " + kind.name + beside, same, same_before, "<= 2");
  print_row("one more " + other.name + " beside 64 healthy " + kind.name, other_before, "-");
  print_row("one more " + other.name + beside, another, "-");
  print_ratio("one more " + other.name + beside, another, other_before, "<= 2");
}

} // namespace

void hang_one_row() {
  const silent_server server;
  temp_dir site;
  hang_one(hanging_units());
  hang_one(hanging_files(site.str(), server));
}

void hang_all_row() {
  const silent_server server;
  temp_dir site;
  const auto units = hanging_units();
  const auto files = hanging_files(site.str(), server);
  hang_all(units, files, site.str());
  hang_all(files, units, site.str());
  hang_all(hanging_containers(server), files, site.str());
}

} // namespace harmony::bench
