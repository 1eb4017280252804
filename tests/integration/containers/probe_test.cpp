// Probes of a container that run inside it.

#include <dirent.h>

#include <fstream>
#include <future>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "support/test_image.hpp"
#include "topology/probe_runner.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using Catch::Matchers::Contains;

probe shell(const std::string& script, std::uint32_t timeout = 30) {
  probe p;
  p.check = exec_probe{{"/bin/sh", "-c", script}};
  p.timeout = timeout;
  return p;
}

/// Processes of the whole device, those in containers too, that have this argument: the whole of
/// it, since the ids of containers have any four digits now and then.
std::size_t processes_with(const std::string& argument) {
  std::size_t count = 0;
  auto* proc = ::opendir("/proc");
  REQUIRE(proc != nullptr);
  while (const auto* entry = ::readdir(proc)) {
    std::ifstream in{"/proc/" + std::string{entry->d_name} + "/cmdline"};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9'
        && text.find('\0' + argument + '\0') != std::string::npos)
      ++count;
  }
  ::closedir(proc);
  return count;
}

/// The container harmony-app and the checks of it.
struct probed_container {
  explicit probed_container(desired<container_spec> what = want_app()) : want(std::move(what)) {
    bed.converge(want);
  }

  outcome<probe_result> check(const probe& p, const std::stop_token& cancel = {},
                              clock::duration limit = 30s) {
    return runner.check(p, {"Container", "harmony-app"}, cancel, clock::now() + limit);
  }
  bool passes(const std::string& script) {
    const auto result = check(shell(script));
    INFO((result ? result->message : result.error().message));
    REQUIRE(result);
    return result->ok;
  }
  std::string why_failed(const probe& p) {
    const auto result = check(p);
    INFO((result ? std::string{} : result.error().message));
    REQUIRE(result);
    CHECK_FALSE(result->ok);
    return result->message;
  }

  podman_bed bed;
  desired<container_spec> want;
  probe_runner runner{nullptr, &bed.runtime()};
};

} // namespace

TEST_CASE("podman probe: exec -> inside the container, as its user, in its environment") {
  auto want = want_app();
  want.spec.user = "app";
  want.spec.env = {{"GREETING", "good morning"}};
  want.spec.working_dir = "/tmp";
  probed_container app{want};
  CHECK(app.passes("test -x /bin/idle")); // the device has none
  CHECK(app.passes("test \"$(id -u)\" = 1000"));
  CHECK(app.passes("test \"$GREETING\" = 'good morning'"));
  CHECK(app.passes("test \"$PWD\" = /tmp"));
  CHECK(app.passes("! read -r line"));
}

TEST_CASE("podman probe: exec fails -> its status and the first line of its output") {
  probed_container app;
  CHECK(app.why_failed(shell("echo no luck >&2; echo more >&2; exit 3"))
        == "'/bin/sh' exited with status 3: no luck");
  CHECK(app.why_failed(shell("kill -9 $$")) == "'/bin/sh' exited with status 137");
  probe missing;
  missing.check = exec_probe{{"/no/such/program"}};
  CHECK_THAT(app.why_failed(missing), Contains("'/no/such/program' exited with status 127"));
  const auto flood =
    app.why_failed(shell("i=0; while [ $i -lt 20000 ]; do echo -n xxxxxxxxxx; i=$((i+1)); done; "
                         "exit 1"));
  CHECK_THAT(flood, Contains("status 1: xxxxx"));
  CHECK(flood.size() < 260);
  // None of it is in the container's own log.
  CHECK(run_tool({"podman", "logs", "harmony-app"}) == "ready");
}

TEST_CASE("podman probe: exec over its time -> failed, and its whole group is killed") {
  probed_container app;
  const std::string script = "trap : TERM; echo waits; sleep 9123 & sleep 9123; sleep 9123";
  SECTION("its own timeout") {
    const auto begin = clock::now();
    CHECK(app.why_failed(shell(script, 1)) == "'/bin/sh' did not end in time: waits");
    CHECK(clock::now() - begin >= 1s);
    CHECK(clock::now() - begin < 10s);
  }
  SECTION("it closed its output") {
    CHECK_THAT(app.why_failed(shell("exec >/dev/null 2>&1 </dev/null; " + script, 1)),
               Contains("did not end in time"));
  }
  SECTION("it is canceled") {
    std::stop_source stop;
    auto result =
      std::async(std::launch::async, [&] { return app.check(shell(script), stop.get_token()); });
    REQUIRE(eventually([] { return processes_with("9123") > 0; }));
    stop.request_stop();
    const auto answer = result.get();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ec::canceled);
  }
  CHECK(eventually([] { return processes_with("9123") == 0; }));
  // The container itself is as it was, and probes go on.
  CHECK(std::holds_alternative<container_running>(app.bed.state(app.want).state));
  CHECK(app.passes("true"));
}

TEST_CASE("podman probe: a container that does not run -> the prober's error") {
  probed_container app;
  run_tool({"podman", "stop", "--time", "0", "harmony-app"});
  const auto stopped = app.check(shell("true"));
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ec::container_failed);
  run_tool({"podman", "rm", "harmony-app"});
  const auto gone = app.check(shell("true"));
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ec::not_found);
}

TEST_CASE("podman probe: the container is stopped while a check runs -> answered soon") {
  probed_container app;
  auto result = std::async(std::launch::async, [&] { return app.check(shell("sleep 9124")); });
  REQUIRE(eventually([] { return processes_with("9124") > 0; }));
  run_tool({"podman", "stop", "--time", "0", "harmony-app"});
  REQUIRE(result.wait_for(20s) == std::future_status::ready);
  const auto answer = result.get();
  CHECK_FALSE((answer && answer->ok));
  CHECK(eventually([] { return processes_with("9124") == 0; }));
}

} // namespace harmony::test
