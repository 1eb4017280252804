// The monitor of containers against a runtime whose event stream the test opens, feeds and breaks.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>

#include "container_fakes.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "topology/podman_monitor.hpp"

namespace harmony {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using test::temp_dir;
using test::containers::fake_runtime;

struct script {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool reachable = true;
  bool broken = false;   ///< ends the stream that is up
  bool fleeting = false; ///< each stream ends as soon as it is up
  std::deque<container_event> feed;
  std::vector<clock::time_point> attempts;
  std::vector<std::string> hints;
  std::string label;

  template <class Change>
  void set(Change change) {
    {
      const std::lock_guard lock{mutex};
      change();
    }
    changed.notify_all();
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 10s, condition);
  }

  runtime_monitor::on_hint sink() {
    return [this](std::string target) { set([&] { hints.push_back(std::move(target)); }); };
  }

  bool hinted(const std::vector<std::string>& expected) {
    return wait([&] { return hints == expected; });
  }
};

class scripted_runtime final : public fake_runtime {
public:
  explicit scripted_runtime(script& s) : script_(s) {}

  outcome<void> events(const std::string& label, const std::function<void()>& opened,
                       const std::function<void(const container_event&)>& sink,
                       const std::stop_token& cancel) override {
    bool reachable = false;
    bool fleeting = false;
    script_.set([&] {
      script_.attempts.push_back(clock::now());
      script_.label = label;
      reachable = script_.reachable;
      fleeting = script_.fleeting;
      script_.broken = false;
    });
    if (!reachable)
      return {ec::runtime_unavailable, "not there"};
    opened();
    if (fleeting)
      return {ec::runtime_unavailable, "broke"};
    for (;;) {
      std::unique_lock lock{script_.mutex};
      script_.changed.wait(lock, cancel,
                           [this] { return script_.broken || !script_.feed.empty(); });
      if (cancel.stop_requested())
        return {ec::canceled, "canceled"};
      if (script_.feed.empty())
        return {ec::runtime_unavailable, "broke"};
      const auto event = script_.feed.front();
      script_.feed.pop_front();
      lock.unlock();
      sink(event);
    }
  }

private:
  script& script_;
};

container_info running(const std::string& name) {
  container_info info;
  info.id = "id-" + name;
  info.name = name;
  info.labels = {{"io.harmony.agent", "pi-1"}};
  info.status = container_status::running;
  info.pid = 7;
  info.started = "2026-01-01T00:00:00.000Z";
  return info;
}

} // namespace

TEST_CASE("container monitor: events -> hints for those watched and those that matter") {
  script s;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1"};
  monitor.watch({"harmony-a", "harmony-b"});
  monitor.start(s.sink());
  REQUIRE(s.hinted({""}));
  CHECK(monitor.streaming());
  CHECK(s.label == "io.harmony.agent=pi-1");
  s.set([&] {
    for (const auto* what : {"create", "init", "start", "exec", "exec_died", "died", "cleanup",
                             "health_status", "remove"})
      s.feed.push_back({"harmony-a", what});
    s.feed.push_back({"harmony-c", "died"});
    s.feed.push_back({"harmony-b", "died"});
  });
  CHECK(s.hinted({"", "harmony-a", "harmony-a", "harmony-a", "harmony-a", "harmony-b"}));
}

TEST_CASE("container monitor: a container that nobody watches is made -> a relist, which has it") {
  script s;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1"};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  REQUIRE(s.hinted({""}));
  s.set([&] { s.feed.push_back({"harmony-late", "create"}); });
  CHECK(s.hinted({"", ""}));
  runtime.all["harmony-late"] = running("harmony-late");
  runtime.all["harmony-late"].status = container_status::created;
  runtime.all["harmony-late"].started.clear();
  runtime.all["harmony-ran"] = running("harmony-ran");
  const auto targets = [&] {
    std::vector<std::string> names;
    const auto facts = monitor.relist(1s).value();
    for (const auto& each : facts)
      names.push_back(each.target);
    return names;
  };
  CHECK(targets() == std::vector<std::string>{"harmony-a", "harmony-late"});
  monitor.watch({});
  CHECK(targets() == std::vector<std::string>{"harmony-late"});
}

TEST_CASE("container monitor: the stream breaks -> a relist hint, and one when it is up again") {
  script s;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1", {1ms, 10ms, 1h}};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  REQUIRE(s.hinted({""}));
  s.set([&] { s.broken = true; });
  CHECK(s.hinted({"", "", ""}));
}

TEST_CASE(
  "container monitor: streams that break at once -> the delay doubles, whatever relists find") {
  script s;
  s.fleeting = true;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1", {10ms, 40ms, 1h}};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  for (std::size_t seen = 1; seen < 6; ++seen) { // as the observer does on each hint
    REQUIRE(s.wait([&] { return s.hints.size() >= seen; }));
    REQUIRE(monitor.relist(1s));
  }
  REQUIRE(s.wait([&] { return s.attempts.size() >= 5; }));
  monitor.stop();
  const std::vector<std::chrono::milliseconds> least{10ms, 20ms, 40ms, 40ms};
  for (std::size_t i = 0; i < least.size(); ++i)
    CHECK(s.attempts[i + 1] - s.attempts[i] >= least[i]);
}

TEST_CASE("container monitor: a file in the folder of exits -> a hint for the watched one") {
  script s;
  scripted_runtime runtime{s};
  const temp_dir exits;
  podman_monitor::options settings;
  settings.exits = exits.path();
  podman_monitor monitor{runtime, "pi-1", settings};
  monitor.watch({"harmony-a", "harmony-b"});
  monitor.start(s.sink());
  REQUIRE(s.hinted({""}));
  runtime.all["harmony-a"] = running("harmony-a");
  REQUIRE(monitor.relist(1s));
  test::write_file(exits / "id-other", "137");
  test::write_file(exits / "id-harmony-a", "137");
  CHECK(s.hinted({"", "harmony-a"}));
  // Made after the relist: known by its event.
  s.set([&] { s.feed.push_back({"harmony-b", "create", "id-harmony-b"}); });
  REQUIRE(s.hinted({"", "harmony-a", "harmony-b"}));
  test::write_file(exits / "id-harmony-b", "0");
  CHECK(s.hinted({"", "harmony-a", "harmony-b", "harmony-b"}));
}

TEST_CASE("container monitor: the folder of exits comes later -> watched from the next relist") {
  script s;
  scripted_runtime runtime{s};
  const temp_dir site;
  podman_monitor::options settings;
  settings.exits = site / "libpod";
  podman_monitor monitor{runtime, "pi-1", settings};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  REQUIRE(s.hinted({""}));
  runtime.all["harmony-a"] = running("harmony-a");
  std::filesystem::create_directory(settings.exits);
  REQUIRE(monitor.relist(1s));
  test::write_file(settings.exits / "id-harmony-a", "137");
  CHECK(s.hinted({"", "harmony-a"}));
}

TEST_CASE("exit folder: a socket -> where that podman keeps its exits") {
  CHECK(exit_folder_of("/run/podman/podman.sock") == "/run/libpod/exits");
  CHECK(exit_folder_of("/run/user/1000/podman/podman.sock") == "/run/user/1000/libpod/tmp/exits");
}

TEST_CASE("container monitor: no runtime -> the delay doubles up to its limit") {
  script s;
  s.reachable = false;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1", {10ms, 40ms, 1h}};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  REQUIRE(s.wait([&] { return s.attempts.size() >= 6; }));
  monitor.stop();
  CHECK_FALSE(monitor.streaming());
  CHECK(s.hints.empty());
  const std::vector<std::chrono::milliseconds> least{10ms, 20ms, 40ms, 40ms, 40ms};
  for (std::size_t i = 0; i < least.size(); ++i)
    CHECK(s.attempts[i + 1] - s.attempts[i] >= least[i]);
}

TEST_CASE("container monitor: a relist finds the runtime again -> it does not wait any longer") {
  script s;
  s.reachable = false;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1", {1h, 1h, 1h}};
  monitor.watch({"harmony-a"});
  monitor.start(s.sink());
  REQUIRE(s.wait([&] { return s.attempts.size() == 1; }));
  s.set([&] { s.reachable = true; });
  // The thread may be on its way into the wait, so once more would be as good.
  REQUIRE(monitor.relist(1s));
  CHECK(s.hinted({""}));
}

TEST_CASE("container monitor: nothing watched -> no stream; something again -> a stream") {
  script s;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1", {1h, 1h, 1h}};
  monitor.start(s.sink());
  CHECK(monitor.relist(1s)->empty());
  monitor.watch({"harmony-a"});
  REQUIRE(s.hinted({""}));
  monitor.watch({});
  monitor.watch({"harmony-a"});
  CHECK(s.hinted({"", ""}));
  CHECK(s.attempts.size() == 2);
}

TEST_CASE(
  "container monitor: relist -> a fingerprint for each watched one, empty for absent ones") {
  script s;
  scripted_runtime runtime{s};
  for (const auto* name : {"harmony-a", "harmony-x"})
    runtime.all[name] = running(name);
  podman_monitor monitor{runtime, "pi-1"};
  monitor.watch({"harmony-b", "harmony-a"});
  const auto first = monitor.relist(1s);
  REQUIRE(first);
  REQUIRE(first->size() == 2);
  CHECK(first->at(0).target == "harmony-a");
  CHECK_FALSE(first->at(0).fingerprint.empty());
  CHECK(first->at(1) == runtime_fact{"harmony-b", ""});
  CHECK(*monitor.relist(1s) == *first);

  // Each of these is something that happened.
  const std::vector<std::function<void(container_info&)>> happenings{
    [](auto& i) { i.id = "another"; },
    [](auto& i) { i.status = container_status::exited; },
    [](auto& i) { i.pid = 8; },
    [](auto& i) { i.started = "2026-01-01T00:00:01.000Z"; },
    [](auto& i) { i.finished = "2026-01-01T00:00:01.000Z"; },
    [](auto& i) { i.image_id = "sha256:another"; }};
  for (const auto& happen : happenings) {
    auto& info = runtime.all["harmony-a"] = running("harmony-a");
    happen(info);
    CHECK(monitor.relist(1s)->at(0).fingerprint != first->at(0).fingerprint);
  }
}

TEST_CASE("container monitor: stopped twice, or never started -> ends") {
  script s;
  scripted_runtime runtime{s};
  podman_monitor monitor{runtime, "pi-1"};
  if (GENERATE(true, false))
    monitor.start(s.sink());
  monitor.stop();
  monitor.stop();
  CHECK_FALSE(monitor.streaming());
}

} // namespace harmony
