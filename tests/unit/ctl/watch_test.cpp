#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "apps/ctl/transitions.hpp"
#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

std::vector<std::string> lines_of(const std::vector<transition>& all) {
  std::vector<std::string> lines;
  for (const auto& t : all)
    lines.push_back(render(t, "T", false));
  return lines;
}

TEST_CASE("transitions: a first status -> the agent and each resource") {
  auto s = status_of("pi", agent_phase::converging, 3);
  s.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  CHECK(lines_of(transitions({}, s))
        == std::vector<std::string>{"T  pi  Converging  (generation 3)", "T  pi  File/a  Ready"});
}

TEST_CASE("transitions: two statuses -> only what changed, what left is gone") {
  auto before = status_of("pi", agent_phase::converging, 3);
  before.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  before.resources[{"File", "b"}] = resource_at(resource_phase::applying);
  before.resources[{"File", "c"}] = resource_at(resource_phase::failed, "DiskFull", "full");
  before.resources[{"File", "d"}] = resource_at(resource_phase::removing);
  auto after = before;
  after.sequence = 9;
  CHECK(transitions(before, after).empty());
  after.phase = agent_phase::degraded;
  after.resources[{"File", "b"}] = resource_at(resource_phase::ready);
  after.resources[{"File", "c"}] = resource_at(resource_phase::failed, "ReadOnlyFileSystem", "ro");
  after.resources.erase({"File", "d"});
  CHECK(lines_of(transitions(before, after))
        == std::vector<std::string>{"T  pi  Converging -> Degraded  (generation 3)",
                                    "T  pi  File/b  Applying -> Ready",
                                    "T  pi  File/c  Failed -> Failed  ReadOnlyFileSystem: ro",
                                    "T  pi  File/d  Removing -> Gone"});
}

TEST_CASE("transitions: the same phase at a new generation or revision -> said") {
  auto before = status_of("pi", agent_phase::converged, 3);
  before.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  auto after = before;
  after.observed_generation = 4;
  after.resources[{"File", "a"}].applied_revision = "sha256:1";
  CHECK(lines_of(transitions(before, after))
        == std::vector<std::string>{"T  pi  Converged -> Converged  (generation 4)",
                                    "T  pi  File/a  Ready -> Ready"});
}

/// Runs `watch` on a thread of its own.
class watching {
public:
  watching(terminal& t, std::vector<std::string> arguments) : terminal_(t) {
    t.on_output = [this](const std::string& all) {
      const std::lock_guard lock{mutex_};
      printed_ = all;
      changed_.notify_all();
    };
    thread_ = std::thread{[this, words = std::move(arguments)] { code_ = terminal_.run(words); }};
  }
  watching(const watching&) = delete;
  watching& operator=(const watching&) = delete;
  ~watching() { end(); }

  /// Waits until it has printed `text`.
  [[nodiscard]] bool printed(const std::string& text) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{20},
                             [&] { return printed_.find(text) != std::string::npos; });
  }

  int end() {
    terminal_.interrupt.request_stop();
    if (thread_.joinable())
      thread_.join();
    return code_;
  }

private:
  terminal& terminal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string printed_;
  std::atomic<int> code_ = -1;
  std::thread thread_;
};

TEST_CASE("watch: changes while it runs -> a line each, exit code 0 when interrupted") {
  terminal t;
  auto s = status_of("pi-1", agent_phase::converging, 1);
  s.resources[{"File", "a"}] = resource_at(resource_phase::applying);
  report(t.at(), s);
  beat(t.at(), s);
  watching w{t, {"watch"}};
  REQUIRE(w.printed("Applying\n"));
  s.phase = agent_phase::converged;
  s.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  report(t.at(), s);
  REQUIRE(w.printed("Ready\n"));
  report(t.at(), status_of("pi-2", agent_phase::starting, 0)); // never heard of, and no heartbeat
  REQUIRE(w.printed("Starting\n"));
  CHECK(w.end() == 0);
  CHECK(t.out
        == "2026-01-31T12:00:00.000Z  pi-1  Converging  (generation 1)\n"
           "2026-01-31T12:00:00.000Z  pi-1  File/a  Applying\n"
           "2026-01-31T12:00:00.000Z  pi-1  Converging -> Converged  (generation 1)\n"
           "2026-01-31T12:00:00.000Z  pi-1  File/a  Applying -> Ready\n"
           "2026-01-31T12:00:00.000Z  pi-2  Offline: no heartbeat seen\n"
           "2026-01-31T12:00:00.000Z  pi-2  Starting\n");
  CHECK(t.at().watchers() == 0);
}

TEST_CASE("watch: of one agent as JSON -> one object a line, others left out") {
  terminal t;
  auto s = status_of("pi-1", agent_phase::converged, 1);
  beat(t.at(), s);
  report(t.at(), s);
  report(t.at(), status_of("pi-2", agent_phase::converged, 1));
  watching w{t, {"watch", "pi-1", "-o", "json"}};
  REQUIRE(w.printed("}\n"));
  CHECK(w.end() == 0);
  CHECK(json::parse(t.out)
        == json{{"time", "2026-01-31T12:00:00.000Z"},
                {"agent", "pi-1"},
                {"from", ""},
                {"to", "Converged"},
                {"observedGeneration", 1}});
}

TEST_CASE("watch: a heartbeat of an agent that was offline -> online again") {
  terminal t;
  auto s = status_of("pi-1", agent_phase::converged, 1);
  t.now = noon - std::chrono::minutes{2};
  beat(t.at(), s);
  t.now = noon;
  report(t.at(), s);
  watching w{t, {"watch"}};
  REQUIRE(w.printed("Converged"));
  beat(t.at(), s);
  REQUIRE(w.printed("Online"));
  CHECK(w.end() == 0);
  CHECK(t.out
        == "2026-01-31T12:00:00.000Z  pi-1  Offline: its last heartbeat is old\n"
           "2026-01-31T12:00:00.000Z  pi-1  Converged  (generation 1)\n"
           "2026-01-31T12:00:00.000Z  pi-1  Offline -> Online: heartbeats again\n");
}

TEST_CASE("watch: an unprepared store -> 1 at once") {
  terminal t{false};
  CHECK(t.run({"watch"}) == 1);
  CHECK(t.err.find("harmonyctl init") != std::string::npos);
}

} // namespace

} // namespace harmony::ctl
