#include "fault_run.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support/agent_process.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

const std::string program = HARMONY_AGENT;

constexpr auto patience = 60s; ///< for a generation to converge, whatever happened
constexpr auto look = 20ms;    ///< between looks at the status
/// Ten periods: far from what a held thread shows, whatever else this machine does.
constexpr auto longest_gap = 1000ms;
constexpr int killed = 128 + 9;

/// The longest time between two heartbeats of one run of the agent. What those of a sender in this
/// process are late by, through the same store, the machine was.
class beat_watch {
public:
  explicit beat_watch(store& link)
    : watch_(link.watch_beats([this](const std::string& sender) { came(sender); })),
      control_([&link](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          (void)link.beat(control_name, "{}").ok();
          std::this_thread::sleep_for(100ms); // the agent's period
        }
      }) {}

  /// The agent ended: until its next run there are none to expect.
  void pause() {
    const std::lock_guard lock{mutex_};
    agent_.last.reset();
  }
  clock::duration longest() {
    const std::lock_guard lock{mutex_};
    return agent_.until(clock::now()) - control_beats_.until(clock::now());
  }

private:
  struct series {
    std::optional<clock::time_point> last;
    clock::duration longest{};

    [[nodiscard]] clock::duration until(clock::time_point now) const {
      return last ? std::max(longest, now - *last) : longest;
    }
  };
  static constexpr auto control_name = "control";

  void came(const std::string& sender) {
    if (sender.empty()) // some may have been missed
      return;
    const std::lock_guard lock{mutex_};
    auto& of = sender == control_name ? control_beats_ : agent_;
    const auto now = clock::now();
    of.longest = of.until(now);
    of.last = now;
  }

  std::mutex mutex_;
  series agent_;
  series control_beats_;
  outcome<std::unique_ptr<subscription>> watch_;
  std::jthread control_;
};

/// The kinds that a point's hang may hold; empty: all, as it is the agent's own disk or store.
std::vector<std::string> held_by(const std::string& point) {
  const auto area = point.substr(0, point.find('.'));
  if (area == "files" || area == "download"
      || (area == "cache" && !point.starts_with("cache.empty")))
    return {"File", "Directory"};
  if (area == "unit-file" || area == "systemd" || area == "audit")
    return {"SystemdUnit", "ShellJob", "Network"};
  if (area == "podman") // what is fetched ahead holds what hangs together with it
    return {"Container", "File", "Directory"};
  if (area == "process")
    return {"User", "Package"};
  if (area == "package" || area == "network")
    return {area == "package" ? "Package" : "Network"};
  return {};
}

/// Whether everything that the hang may not hold is where generation `g` wants it, or waits for
/// what is held.
bool others_done(const agent_status& s, unsigned g, const std::vector<std::string>& held) {
  return s.observed_generation == g
         && std::all_of(s.resources.begin(), s.resources.end(), [&](const auto& each) {
              const bool may_wait =
                std::find(held.begin(), held.end(), each.first.kind) != held.end();
              return may_wait || each.second.phase == resource_phase::blocked
                     || (g < scenario::last_generation
                         && each.second.phase == resource_phase::ready);
            });
}

std::string text_of(const agent_status& s) {
  std::string text = std::string{name_of(s.phase)} + " at " + std::to_string(s.observed_generation);
  for (const auto& [id, r] : s.resources)
    if (r.phase != resource_phase::ready)
      text +=
        "; " + id.str() + " " + std::string{name_of(r.phase)} + " " + r.reason + " " + r.message;
  return text;
}

/// Whether a hang there may be one of a heartbeat itself.
bool holds_beats(const std::string& point) {
  for (const auto* each : {"store.beat", "directory.write.", "nats.publish."})
    if (point.starts_with(each))
      return true;
  return false;
}

/// Lets jobs run.
std::string permitting(const std::filesystem::path& config) {
  write_file(config, "[policy]\nshell-jobs = true\n");
  return config.string();
}

class run {
public:
  run(const scenario_kind& scene, fault_case what)
    : what_(std::move(what)),
      log_(folder_ / "log"),
      scenario_(scene.make()),
      limit_(scenario_->limit()),
      hang_(2 * limit_),
      agent_(program,
             {"--config", permitting(folder_ / "agent.toml"), "--state-dir", state().string()},
             scenario_->store_url()),
      beats_(agent_.link()) {}

  fault_verdict carry_out() {
    const auto begin = clock::now();
    std::filesystem::create_directory(state());
    std::filesystem::permissions(state(), std::filesystem::perms{0700});
    scenario_->set_up(state());
    agent_.start(variables());
    for (unsigned g = 1; g <= scenario::last_generation; ++g) {
      agent_.apply(scenario_->resources(g));
      if (!reaches(g))
        break;
    }
    if (!holds_beats(what_.point) && beats_.longest() > longest_gap)
      violate(0,
              "no heartbeat for "
                + std::to_string(
                  std::chrono::duration_cast<std::chrono::milliseconds>(beats_.longest()).count())
                + " ms");
    verdict_.fired = fired();
    if (what_.kind == "kill" && verdict_.fired && !was_killed_)
      end_late();
    agent_.kill();
    verdict_.seconds = std::chrono::duration<double>(clock::now() - begin).count();
    return std::move(verdict_);
  }

  std::map<std::string, unsigned> hits() const {
    std::map<std::string, unsigned> result;
    std::ifstream in{log_};
    for (std::string line; std::getline(in, line);)
      ++result[line];
    return result;
  }

private:
  [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }

  std::map<std::string, std::string> variables() const {
    std::map<std::string, std::string> v{{"HARMONY_FAULT_LOG", log_.string()}};
    if (what_.kind.empty())
      return v;
    v["HARMONY_FAULT"] = what_.point + " " + std::to_string(what_.hit) + " " + what_.kind;
    if (what_.kind == "hang") {
      v["HARMONY_FAULT_HANG"] = std::to_string(hang_.count());
      v["HARMONY_FAULT_LIMIT"] = std::to_string(limit_.count());
    }
    return v;
  }

  bool fired() const {
    const auto all = hits();
    return all.count(what_.point + " " + what_.kind) != 0;
  }

  void violate(unsigned generation, std::string text) {
    verdict_.violations.push_back(
      (generation == 0 ? std::string{} : "generation " + std::to_string(generation) + ": ")
      + std::move(text));
  }

  /// Whether the status says that generation `g` has converged; and whether that is so.
  bool reaches(unsigned g) {
    if (!converges(g))
      return false;
    for (auto& each : scenario_->violations(g))
      violate(g, std::move(each));
    return true;
  }

  /// It dies of its very last write, after all was said.
  void end_late() {
    if (!agent_.ended(5s))
      return violate(0, "the agent was not killed");
    restart(scenario::last_generation);
    (void)reaches(scenario::last_generation);
  }

  bool converges(unsigned g) {
    const auto end = clock::now() + patience;
    agent_status s;
    while (clock::now() < end) {
      if (agent_.ended(look))
        restart(g);
      s = agent_.status();
      watch_hang(g, s);
      if (s.phase == agent_phase::converged && s.observed_generation == g)
        return true;
    }
    violate(g, "does not converge: " + text_of(s));
    return false;
  }

  /// As systemd does. The fault is over.
  void restart(unsigned g) {
    beats_.pause();
    if (const auto how = agent_.ending(); how != killed || what_.kind != "kill" || was_killed_)
      violate(g, "the agent ended by itself, with " + std::to_string(how));
    was_killed_ = true;
    agent_.start({{"HARMONY_FAULT_LOG", log_.string()}});
  }

  /// While a call hangs, what does not go the same way comes through.
  void watch_hang(unsigned g, const agent_status& s) {
    const auto held = held_by(what_.point);
    if (what_.kind != "hang" || held.empty() || hang_seen_to_end_)
      return;
    if (!hang_began_ && fired())
      hang_began_ = clock::now();
    if (!hang_began_)
      return;
    others_came_ = others_came_ || others_done(s, g, held);
    if (clock::now() < *hang_began_ + hang_ - 200ms)
      return;
    hang_seen_to_end_ = true;
    if (!others_came_)
      violate(g, "held what it should not: " + text_of(s));
  }

  fault_case what_;
  temp_dir folder_;
  std::filesystem::path log_;
  std::unique_ptr<scenario> scenario_;
  std::chrono::milliseconds limit_;
  /// A hung call outlasts its operation's limit: it is given up, and comes back later.
  std::chrono::milliseconds hang_;
  agent_process agent_;
  beat_watch beats_;
  fault_verdict verdict_;
  bool was_killed_ = false;
  std::optional<clock::time_point> hang_began_;
  bool others_came_ = false;
  bool hang_seen_to_end_ = false;
};

} // namespace

fault_verdict run_with(const scenario_kind& scene, const fault_case& what) {
  return run{scene, what}.carry_out();
}

std::map<std::string, unsigned> count_hits(const scenario_kind& scene) {
  run plain{scene, {}};
  const auto verdict = plain.carry_out();
  if (!verdict.violations.empty())
    throw std::runtime_error(scene.name + ", without a fault: " + verdict.violations.front());
  return plain.hits();
}

} // namespace harmony::test
