// podman's events and a podman that dies, hangs or is not there.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "support/test_image.hpp"
#include "topology/podman_monitor.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// The hints that a monitor gave.
class hints {
public:
  runtime_monitor::on_hint sink() {
    return [this](std::string target) {
      const std::lock_guard lock{mutex_};
      seen_.push_back(std::move(target));
    };
  }
  void clear() {
    const std::lock_guard lock{mutex_};
    seen_.clear();
  }
  bool has(const std::string& target) const {
    const std::lock_guard lock{mutex_};
    return std::find(seen_.begin(), seen_.end(), target) != seen_.end();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
};

// Stops a process for as long as it lives.
class frozen {
public:
  explicit frozen(pid_t pid) : pid_(pid) { REQUIRE(::kill(pid_, SIGSTOP) == 0); }
  frozen(const frozen&) = delete;
  frozen& operator=(const frozen&) = delete;
  ~frozen() { ::kill(pid_, SIGCONT); }

private:
  pid_t pid_;
};

std::chrono::nanoseconds cpu_time() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
}

std::string fingerprint_of(runtime_monitor& monitor) {
  const auto facts = monitor.relist(5s);
  REQUIRE(facts);
  REQUIRE(facts->size() == 1);
  CHECK(facts->front().target == "harmony-app");
  return facts->front().fingerprint;
}

} // namespace

TEST_CASE("podman monitor: killed, removed or started by hand -> a hint and another fingerprint") {
  podman_bed bed;
  hints seen;
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app"});
  monitor.start(seen.sink());
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  CHECK(eventually([&] { return seen.has(""); }));
  CHECK(fingerprint_of(monitor).empty());

  bed.converge(want_app());
  CHECK(eventually([&] { return seen.has("harmony-app"); }));
  const auto running = fingerprint_of(monitor);
  CHECK_FALSE(running.empty());
  CHECK(fingerprint_of(monitor) == running);

  seen.clear();
  run_tool({"podman", "kill", "harmony-app"});
  CHECK(eventually([&] { return seen.has("harmony-app"); }));
  std::string dead;
  CHECK(eventually([&] { return (dead = fingerprint_of(monitor)) != running; }));

  bed.converge(want_app());
  CHECK(fingerprint_of(monitor) != running);
  CHECK(fingerprint_of(monitor) != dead);

  seen.clear();
  run_tool({"podman", "rm", "--force", "--time", "0", "harmony-app"});
  CHECK(eventually([&] { return seen.has("harmony-app"); }));
  CHECK(eventually([&] { return fingerprint_of(monitor).empty(); }));
}

TEST_CASE("podman monitor: containers of others -> no hint") {
  podman_bed bed;
  hints seen;
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app", "harmony-foreign"});
  monitor.start(seen.sink());
  REQUIRE(eventually([&] { return monitor.streaming() && seen.has(""); }));
  run_tool(
    {"podman", "run", "--detach", "--name", "harmony-foreign", "--network", "none", bed_image});
  bed.converge(want_app());
  REQUIRE(eventually([&] { return seen.has("harmony-app"); })); // events come in order
  CHECK_FALSE(seen.has("harmony-foreign"));
}

TEST_CASE(
  "podman monitor: podman is killed -> not streaming, then a relist hint and events again") {
  podman_bed bed;
  hints seen;
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app"});
  monitor.start(seen.sink());
  bed.converge(want_app());
  for (int round = 0; round < 2; ++round) {
    REQUIRE(eventually([&] { return monitor.streaming() && seen.has(""); }));
    seen.clear();
    REQUIRE(::kill(podman_service(), SIGKILL) == 0);
    REQUIRE(eventually([&] { return seen.has(""); }));
    CHECK(eventually([&] { return monitor.streaming(); }));
  }
  CHECK(bed.plan(want_app())->empty()); // containers outlive podman's service
  seen.clear();
  run_tool({"podman", "kill", "harmony-app"});
  CHECK(eventually([&] { return seen.has("harmony-app"); }));
}

TEST_CASE("podman monitor: stopped while it streams -> ends at once") {
  podman_bed bed;
  hints seen;
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app"});
  monitor.start(seen.sink());
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  const auto freeze = GENERATE(false, true);
  std::optional<frozen> hung;
  if (freeze)
    hung.emplace(podman_service());
  const auto begun = clock::now();
  monitor.stop();
  CHECK(clock::now() - begun < 1s);
  CHECK_FALSE(monitor.streaming());
}

TEST_CASE("podman monitor: nothing watched any more -> the stream is let go") {
  podman_bed bed;
  hints seen;
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.start(seen.sink());
  monitor.watch({"harmony-app"});
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  monitor.watch({});
  CHECK(eventually([&] { return !monitor.streaming(); }));
  monitor.watch({"harmony-app"});
  CHECK(eventually([&] { return monitor.streaming(); }));
}

TEST_CASE("podman monitor: there is no podman -> relist says so, no busy loop") {
  podman_client client{"/nonexistent/podman.sock"};
  hints seen;
  podman_monitor monitor{client, bed_agent};
  monitor.watch({"harmony-app"});
  const auto before = cpu_time();
  monitor.start(seen.sink());
  const auto facts = monitor.relist(5s);
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == ec::runtime_unavailable);
  CHECK(facts.error().message.find("systemctl start podman.socket") != std::string::npos);
  std::this_thread::sleep_for(1s); // the span of the measurement
  CHECK(cpu_time() - before < 50ms);
  CHECK_FALSE(monitor.streaming());
  CHECK_FALSE(seen.has(""));
}

TEST_CASE("podman: hangs -> timed_out after the deadline, canceled at once on request") {
  podman_bed bed;
  const auto want = want_app();
  bed.converge(want);
  podman_monitor monitor{bed.runtime(), bed_agent};
  monitor.watch({"harmony-app"});
  {
    const frozen hung{podman_service()};
    auto ctx = bed.context(300ms);
    auto begun = clock::now();
    const auto late = bed.subject().observe(want, ctx);
    auto took = clock::now() - begun;
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ec::timed_out);
    CHECK(took >= 300ms);
    CHECK(took < 1s);

    begun = clock::now();
    const auto facts = monitor.relist(200ms);
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == ec::timed_out);
    CHECK(clock::now() - begun < 1s);

    std::stop_source stop;
    auto endless = bed.context(1h, stop.get_token());
    std::optional<outcome<container_observed>> result;
    std::thread caller{[&] { result = bed.subject().observe(want, endless); }};
    std::this_thread::sleep_for(100ms); // so that it is under way; before would do as well
    begun = clock::now();
    stop.request_stop();
    caller.join();
    CHECK(clock::now() - begun < 500ms);
    REQUIRE_FALSE(*result);
    CHECK(result->error().code == ec::canceled);
  }
  CHECK(bed.plan(want)->empty());
}

TEST_CASE("podman: killed during a call -> runtime_unavailable, and then it works again") {
  podman_bed bed;
  auto want = want_app();
  want.spec.command = {"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"};
  bed.converge(want);
  REQUIRE(eventually([] {
    return run_tool({"podman", "logs", "harmony-app"}).find("ready") != std::string::npos;
  }));
  const auto owned = bed.owned().all().front();
  // Its stop takes ten seconds of grace, so podman is killed within.
  std::optional<outcome<void>> result;
  const auto service = podman_service();
  std::thread caller{[&] {
    auto ctx = bed.context(20s);
    result = bed.subject().remove(owned, ctx);
  }};
  CHECK(eventually([] {
    return run_tool({"podman", "inspect", "--format", "{{.State.Status}}", "harmony-app"})
           == "stopping";
  }));
  REQUIRE(::kill(service, SIGKILL) == 0);
  caller.join();
  // The call is repeated once, by a new service; either way nothing is half done in the end.
  auto ctx = bed.context(30s);
  REQUIRE(bed.subject().remove(owned, ctx));
  CHECK(bed.owned().all().empty());
  CHECK(run_tool({"podman", "ps", "--all", "--quiet"}).empty());
}

TEST_CASE("podman: the agent may not use the socket -> permission_denied") {
  // root may do everything, so another user asks.
  podman_bed bed;
  const auto child = ::fork();
  if (child == 0) {
    int code = 1;
    if (::setgid(65534) == 0 && ::setuid(65534) == 0) {
      podman_client client{podman_socket};
      const auto pong = client.ping({});
      code = !pong && pong.error().code == ec::permission_denied ? 0 : 2;
    }
    ::_exit(code);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

} // namespace harmony::test
