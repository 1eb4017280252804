// Pulling from a registry on this device's loopback.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "support/test_image.hpp"

extern char** environ;

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

// Tells podman that the registry at `address` speaks plain HTTP. Its service reads that only once,
// so it is stopped; its socket starts it again.
void trust(const std::string& address) {
  write_file("/etc/containers/registries.conf.d/harmony-test.conf",
             "[[registry]]\nlocation = \"" + address + "\"\ninsecure = true\n");
  run_tool({"systemctl", "stop", "podman.service"});
}

// A registry (Debian: docker-registry) on a free port, its data in a private folder.
class registry {
public:
  registry() : port_(free_port()) {
    const auto config = folder_ / "config.yml";
    write_file(config, "version: 0.1\nlog: {level: error}\nstorage:\n  filesystem:\n"
                       "    rootdirectory: "
                         + (folder_ / "data").string() + "\nhttp:\n  addr: " + address() + "\n");
    trust(address());
    const auto program = std::string{"docker-registry"};
    const auto file = config.string();
    const std::array<const char*, 4> argv{program.c_str(), "serve", file.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int error = ::posix_spawnp(&child_, argv[0], &actions, nullptr,
                                     const_cast<char* const*>(argv.data()), environ);
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(error == 0);
    REQUIRE(eventually([this] { return accepts(port_); }));
  }
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  ~registry() { down(); }

  void down() {
    if (child_ == 0)
      return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Pushes a new image as app:1, drops it from the device; gives its digest.
  std::string publish(const std::string& marker) {
    const auto reference = address() + "/app:1";
    const auto digest = folder_ / "digest";
    build_test_image(reference, marker);
    run_tool({"podman", "push", "--quiet", "--tls-verify=false", "--digestfile", digest.string(),
              reference});
    run_tool({"podman", "rmi", "--force", reference});
    return read_file(digest);
  }

private:
  temp_dir folder_;
  std::uint16_t port_;
  pid_t child_ = 0;
};

std::string marker_of(const std::string& container) {
  return run_tool({"podman", "exec", container, "cat", "/marker"});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("podman pull: an image by tag or by digest -> pulled and running") {
  podman_bed bed;
  registry server;
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
  registry server;
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
  registry server;
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
    registry server;
    server.publish("published");
    want.spec.image = server.address() + "/app:1";
    server.down();
    const auto done = bed.step(want);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ec::image_pull_failed);
    CHECK(contains(done.error().message, "connection refused"));
  }
  registry server;
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
  trust(registry);
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
