// Pulling from a registry on this device's loopback.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "support/image_registry.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

std::string marker_of(const std::string& container) {
  return run_tool({"podman", "exec", container, "cat", "/marker"});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("podman pull: an image by tag or by digest -> pulled and running") {
  podman_bed bed;
  image_registry server;
  const auto digest = server.publish("published");
  auto want = want_app();
  const bool pinned = GENERATE(false, true);
  want.spec.image = server.address() + (pinned ? "/app@" + digest : "/app:1");
  bed.converge(want);
  CHECK(marker_of("harmony-app") == "published");
  CHECK(bed.state(want).image.starts_with("sha256:"));
  if (!pinned)
    return;
  // What is here by its digest needs no registry.
  server.down();
  auto next = want;
  next.revision = "sha256:b";
  next.spec.env = {{"A", "b"}};
  bed.converge(next);
}

TEST_CASE("podman pull: Always -> the newer image of a tag at the next creation, not before") {
  podman_bed bed;
  image_registry server;
  server.publish("old");
  auto want = want_app();
  want.spec.image = server.address() + "/app:1";
  want.spec.pull = GENERATE(pull_policy::always, pull_policy::if_not_present);
  bed.converge(want);
  const auto before = bed.state(want);

  // Another image takes over the tag in the registry, while the old one stays here.
  build_test_image("localhost/staging:1", "new");
  run_tool({"podman", "push", "--quiet", "--tls-verify=false", "localhost/staging:1",
            "docker://" + server.address() + "/app:1"});
  bed.converge(want);
  CHECK(bed.state(want) == before);

  auto next = want;
  next.revision = "sha256:b";
  next.spec.env = {{"A", "b"}};
  bed.converge(next);
  const bool always = want.spec.pull == pull_policy::always;
  CHECK(marker_of("harmony-app") == (always ? "new" : "old"));
  CHECK((bed.state(next).image != before.image) == always);
}

TEST_CASE("podman pull: no such tag, digest or repository -> image_not_found, registry's words") {
  podman_bed bed;
  image_registry server;
  server.publish("published");
  auto want = want_app();
  want.spec.image =
    server.address()
    + GENERATE(as<std::string>{}, "/app:2", "/other:1", "/app@sha256:" + std::string(64, '0'));
  const auto done = bed.step(want);
  REQUIRE_FALSE(done);
  INFO(done.error().message);
  CHECK(done.error().code == ec::image_not_found);
  CHECK(contains(done.error().message, "'" + want.spec.image + "'"));
  CHECK(contains(done.error().message, "unknown"));
  CHECK(run_tool({"podman", "ps", "--all", "--quiet"}).empty());
}

TEST_CASE("podman pull: the registry is down -> image_pull_failed; up again -> it runs") {
  podman_bed bed;
  auto want = want_app();
  {
    image_registry server;
    server.publish("published");
    want.spec.image = server.address() + "/app:1";
    server.down();
    const auto done = bed.step(want);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::image_pull_failed);
    CHECK(contains(done.error().message, "connection refused"));
  }
  image_registry server;
  server.publish("published");
  want.spec.image = server.address() + "/app:1";
  bed.converge(want);
}

TEST_CASE("podman pull: the registry hangs -> timed_out by the deadline, canceled on request") {
  podman_bed bed;
  // Connections are accepted by the kernel and never answered.
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(silent, any, size) == 0);
  REQUIRE(::listen(silent, 64) == 0);
  REQUIRE(::getsockname(silent, any, &size) == 0);
  const auto registry = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  trust_registry(registry);
  auto want = want_app();
  want.spec.image = registry + "/app:1";
  const std::vector<change> todo{{action::create, "state", "absent", "running"}};

  auto ctx = bed.context(1s);
  auto begun = clock::now();
  const auto late = bed.subject().apply(want, todo, ctx);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ec::timed_out);
  CHECK(clock::now() - begun < 2s);

  std::stop_source stop;
  auto endless = bed.context(1h, stop.get_token());
  std::optional<outcome<void>> result;
  std::thread caller{[&] { result = bed.subject().apply(want, todo, endless); }};
  std::this_thread::sleep_for(200ms); // so that the pull is under way; before would do as well
  begun = clock::now();
  stop.request_stop();
  caller.join();
  CHECK(clock::now() - begun < 1s);
  REQUIRE_FALSE(*result);
  CHECK(result->error().code == ec::canceled);
  ::close(silent);
}

} // namespace harmony::test
