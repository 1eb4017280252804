#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/root.hpp"
#include "state/state_store.hpp"
#include "support/memory_store.hpp"

namespace harmony::test {

/// What a fake driver does instead of blocking for ever; the executor catches it.
struct hangs {};

/// Runs posted work when the world says so, on the world's own thread. Work that hangs is kept
/// aside.
class stepped_executor final : public executor {
public:
  void post(std::function<void()> work) override {
    (dead_ ? lost_ : queue_).push_back(std::move(work));
  }

  /// Runs what is queued; false when there was nothing.
  bool run_all() {
    if (queue_.empty())
      return false;
    auto batch = std::exchange(queue_, {});
    for (auto& work : batch)
      try {
        work();
      } catch (const hangs&) {
        stuck_.push_back(std::move(work));
      }
    return true;
  }

  /// What hung goes on.
  void release() {
    for (auto& work : std::exchange(stuck_, {}))
      queue_.push_back(std::move(work));
  }

  /// What is queued or hangs is not run, nor what comes until `live`.
  void die() {
    dead_ = true;
    for (auto* lost : {&queue_, &stuck_})
      for (auto& work : std::exchange(*lost, {}))
        lost_.push_back(std::move(work));
  }
  void live() { dead_ = false; }
  /// Runs what was lost after all, as its actors wait for it: for the end of a test.
  void bury() { queue_.swap(lost_); }

  [[nodiscard]] std::size_t stuck() const { return stuck_.size(); }

private:
  bool dead_ = false;
  std::deque<std::function<void()>> queue_;
  std::deque<std::function<void()>> stuck_;
  std::deque<std::function<void()>> lost_;
};

/// A simulated device: what is in place, by target, and what goes wrong on demand.
struct fake_device {
  struct thing {
    std::string revision;
    std::string restart_stamp;
  };
  std::map<std::string, thing> things;
  std::map<std::string, failure> broken;   ///< targets whose apply fails
  std::map<std::string, failure> unseen;   ///< targets whose look fails
  std::map<std::string, failure> kept;     ///< targets whose removal fails
  std::map<std::string, failure> ending;   ///< targets that end as soon as they are started
  std::set<std::string> hanging;           ///< targets whose apply hangs
  std::set<std::string> remote;            ///< targets that are fetched ahead
  std::set<std::string> slow;              ///< targets whose fetch hangs
  std::vector<owned_target> strays;        ///< what came although nobody waited for it
  std::map<std::string, std::string> seen; ///< revision by the last look; empty: nothing there
  std::map<std::string, std::vector<std::string>> logs; ///< lines by target; none: no log
  std::vector<std::string> log;                         ///< "apply /a", "remove /a", "restart /a"
};

/// What the checks of a resource say, by its target; what is not named passes.
class fake_probes final : public probe_port {
public:
  std::map<std::string, outcome<probe_result>> answers;
  bool systemd = true; ///< whether unit probes can be made
  std::vector<std::string> made;

  outcome<probe_result> check(const probe& p, const probe_subject& of, const std::stop_token&,
                              std::chrono::steady_clock::time_point) override;
  [[nodiscard]] std::optional<failure> lack(const probe& p) const override;

  void fails(const std::string& target, std::string why = "connection refused") {
    answers.insert_or_assign(target, probe_result{false, std::move(why)});
  }
  void passes(const std::string& target) {
    answers.insert_or_assign(target, probe_result{true, {}});
  }
  void breaks(const std::string& target, ec code, std::string why) {
    answers.insert_or_assign(target, failure{code, std::move(why)});
  }
};

/// A driver over the simulated device; the target is the File's or Directory's path, or the unit.
class fake_driver final : public driver {
public:
  fake_driver(fake_device& device, runtime_kind kind) : device_(device), runtime_(kind) {}

  [[nodiscard]] runtime_kind runtime() const override { return runtime_; }
  [[nodiscard]] std::string target(const resource& r) const override { return target_of(r.spec); }
  outcome<observation> observe(const desired<resource_spec>& want, op_context& ctx) override;
  outcome<void> apply(const desired<resource_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) override;
  std::optional<failure> why_ended(const desired<resource_spec>& want, op_context& ctx) override;
  outcome<void> remove(const owned_target& owned, op_context& ctx) override;
  [[nodiscard]] bool can_restart(const resource& r) const override {
    return r.id.kind == "SystemdUnit";
  }
  outcome<logs_result> logs(const desired<resource_spec>& want, const log_query& query,
                            op_context& ctx) override;
  [[nodiscard]] bool fetches(const resource& r) const override;
  outcome<void> fetch(const desired<resource_spec>& want, op_context& ctx) override;
  outcome<std::vector<owned_target>> strays(op_context& ctx) override;

private:
  static std::string target_of(const resource_spec& spec);

  fake_device& device_;
  runtime_kind runtime_;
};

/// Hints on demand; nothing of its own.
class fake_monitor final : public runtime_monitor {
public:
  void start(on_hint sink) override { sink_ = std::move(sink); }
  void stop() override { sink_ = nullptr; }
  void watch(std::vector<std::string> targets) override { targets_ = std::move(targets); }
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds) override;
  [[nodiscard]] bool streaming() const override { return true; }

  void hint(const std::string& target) {
    if (sink_)
      sink_(target);
  }
  fake_device* device = nullptr;

private:
  on_hint sink_;
  std::vector<std::string> targets_;
};

/// A whole agent in virtual time: the real actors, on CAF's testing scheduler, over a store in
/// memory and a simulated device. `settle` runs all that can run now; `run_for` lets time pass,
/// timer by timer.
class world {
public:
  explicit world(const std::function<void(agent_config&)>& adjust = {});
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  void start();
  void stop();
  /// The agent dies, whatever it is at: nothing that it does from here on has an effect. The store
  /// is connected afterwards.
  void kill();

  /// Writes the desired manifest: `resources` is the JSON list. Generations count up.
  void apply(const std::string& resources);
  /// Writes any text as the desired state.
  void put_desired(const std::string& text);

  void settle();
  void run_for(duration d);
  /// The device is suspended for `d`: what was due meanwhile is due now.
  void suspend(duration d);
  /// Somebody sets the device's clock.
  void step_clock(duration by) { clock_offset_ += by; }

  /// Sends a command and lets everything happen; gives the answer, empty where none came yet.
  std::string command(const std::string& verb, const std::string& payload = {});

  [[nodiscard]] instant now();
  [[nodiscard]] agent_status status();
  [[nodiscard]] resource_status resource(const std::string& id);
  /// "Ready", "Failed DiskFull", …
  [[nodiscard]] std::string standing(const std::string& id);
  void drift(const std::string& target);

  memory_store link;
  std::unique_ptr<state_store> state = state_store::in_memory();
  fake_device device;
  std::shared_ptr<fake_monitor> files_monitor = std::make_shared<fake_monitor>();
  std::shared_ptr<fake_monitor> units_monitor = std::make_shared<fake_monitor>();
  std::shared_ptr<fake_probes> probes = std::make_shared<fake_probes>();
  std::shared_ptr<stepped_executor> workers = std::make_shared<stepped_executor>();
  std::vector<instant> beats;
  generation_number generation = 0;

private:
  caf::scheduler::test_coordinator& scheduler();

  duration clock_offset_ = std::chrono::hours{24 * 365 * 56}; ///< of the wall clock
  agent_config config_;
  caf::actor_system_config caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  root_actor root_;
  std::unique_ptr<subscription> beat_watch_;
};

/// A manifest for "pi-1" with this JSON list of resources.
std::string manifest_json(generation_number generation, const std::string& resources);
/// A File of the manifest's JSON.
std::string file_json(const std::string& name, const std::string& content,
                      const std::string& extra = {});
/// A SystemdUnit of the manifest's JSON.
std::string file_at(const std::string& name, const std::string& path);

/// A Directory `name` at /srv/`name`.
std::string folder_json(const std::string& name, const std::string& extra = {});

std::string unit_json(const std::string& name, const std::string& extra = {});

} // namespace harmony::test
