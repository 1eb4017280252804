// One container's life on a real podman.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "podman_bed.hpp"
#include "support/catch.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A listener of the test's own, so that a port is taken.
class listener {
public:
  explicit listener(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { ::close(fd_); }

private:
  int fd_;
};

// The whole answer of an HTTP server on the loopback; empty where there is none.
std::string fetch(std::uint16_t port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto ask = "GET " + path + " HTTP/1.0\r\n\r\n";
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0
      && ::send(fd, ask.data(), ask.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(ask.size())) {
    std::array<char, 1024> part{};
    for (ssize_t size = 0; (size = ::recv(fd, part.data(), part.size(), 0)) > 0;)
      answer.append(part.data(), static_cast<std::size_t>(size));
  }
  ::close(fd);
  return answer;
}

bool has(const json& list, const json& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("podman: a container wanted -> created, running, labelled, owned") {
  podman_bed bed;
  auto want = want_app();
  want.restart_stamp = "s1";
  bed.converge(want);
  const auto state = bed.state(want);
  const auto there = podman_bed::inspect("harmony-app");
  CHECK(there["Id"] == state.id);
  CHECK("sha256:" + there["Image"].get<std::string>() == state.image);
  CHECK(there["State"]["Status"] == "running");
  CHECK(there["HostConfig"]["RestartPolicy"]["Name"] == "no");
  const auto& labels = there["Config"]["Labels"];
  CHECK(labels[container_label::agent] == bed_agent);
  CHECK(labels[container_label::resource] == "Container/app");
  CHECK(labels[container_label::revision] == "sha256:a");
  CHECK(labels[container_label::restart_stamp] == "s1");
  const auto& running = std::get<container_running>(state.state);
  CHECK(running.since.size() == std::string{"2026-01-01T00:00:00.000Z"}.size());
  CHECK(running.restarts == 0);
  CHECK(bed.owned().of(want.id).size() == 1);
}

TEST_CASE("podman: the same revision again -> the same container, also after an agent restart") {
  podman_bed bed;
  const auto want = want_app();
  bed.converge(want);
  const auto before = bed.state(want);
  bed.converge(want);
  bed.restart_agent();
  bed.converge(want);
  CHECK(bed.state(want) == before);
}

TEST_CASE("podman: another environment -> replaced by a container that has it") {
  podman_bed bed;
  bed.converge(want_app());
  const auto old_id = bed.state(want_app()).id;
  auto next = want_app("sha256:b");
  next.spec.env = {{"GREETING", "good morning"}};
  const auto plan = bed.plan(next);
  REQUIRE(plan);
  CHECK(*plan == std::vector<change>{{action::replace, "revision", "sha256:a", "sha256:b"}});
  bed.converge(next);
  CHECK(bed.state(next).id != old_id);
  CHECK(has(podman_bed::inspect("harmony-app")["Config"]["Env"], "GREETING=good morning"));
  CHECK(run_tool({"podman", "ps", "--all", "--quiet"}).find('\n') == std::string::npos);
}

TEST_CASE("podman: the next image is nowhere -> its reason, and the old container runs on") {
  podman_bed bed;
  bed.converge(want_app());
  const auto before = bed.state(want_app());
  auto next = want_app("sha256:b");
  next.spec.image = "localhost/not-there:1";
  next.spec.pull = GENERATE(pull_policy::never, pull_policy::if_not_present, pull_policy::always);
  const auto done = bed.step(next);
  REQUIRE_FALSE(done);
  CHECK(done.error().code
        == (next.spec.pull == pull_policy::never ? ec::image_not_found : ec::image_pull_failed));
  CHECK(contains(done.error().message, "'localhost/not-there:1'"));
  CHECK(bed.state(want_app()) == before);
}

TEST_CASE("podman: every field of a spec -> in effect") {
  podman_bed bed;
  const temp_dir data;
  fs::permissions(data.path(), fs::perms{0755}); // for the container's user
  write_file(data / "hello", "from the host");
  auto want = want_app();
  const auto port = free_port();
  want.spec.entrypoint = {"/bin/sh", "-c"};
  want.spec.command = {"id; env; cat /data/hello; echo x >/data/y; echo x >/scratch/y && "
                       "echo tmpfs-written; exec /bin/idle"};
  want.spec.env = {{"GREETING", "a b=c"}};
  want.spec.ports = {{port, 80, transport_protocol::tcp, "127.0.0.1"},
                     {port, 5353, transport_protocol::udp, {}}};
  want.spec.mounts = {{mount_type::bind, data.str(), "/data", true},
                      {mount_type::volume, "harmony-vol", "/vol", false},
                      {mount_type::tmpfs, {}, "/scratch", false}};
  want.spec.user = "app";
  want.spec.working_dir = "/tmp";
  want.spec.memory = 64 << 20;
  want.spec.pids_limit = 50;
  want.spec.network = "bridge";
  bed.converge(want);

  const auto there = podman_bed::inspect("harmony-app");
  const auto& config = there["Config"];
  const auto& host = there["HostConfig"];
  CHECK(there["Path"] == "/bin/sh");
  CHECK(there["Args"] == json{"-c", want.spec.command[0]});
  CHECK(has(config["Env"], "GREETING=a b=c"));
  CHECK(config["User"] == "app");
  CHECK(config["WorkingDir"] == "/tmp");
  CHECK(host["Memory"] == 64 << 20);
  CHECK(host["PidsLimit"] == 50);
  CHECK(host["NetworkMode"] == "bridge");
  const auto number = std::to_string(port);
  CHECK(host["PortBindings"]["80/tcp"]
        == json::parse(R"([{"HostIp":"127.0.0.1","HostPort":")" + number + R"("}])"));
  CHECK(host["PortBindings"]["5353/udp"]
        == json::parse(R"([{"HostIp":"","HostPort":")" + number + R"("}])"));
  CHECK(host["Tmpfs"].contains("/scratch"));
  REQUIRE(there["Mounts"].size() == 2);
  for (const auto& mount : there["Mounts"]) {
    const bool volume = mount["Type"] == "volume";
    CHECK(mount["Destination"] == (volume ? "/vol" : "/data"));
    CHECK(mount[volume ? "Name" : "Source"] == (volume ? "harmony-vol" : data.str()));
    CHECK(mount["RW"] == volume);
  }

  // And what the process itself saw.
  REQUIRE(eventually([] {
    return contains(run_tool({"podman", "logs", "harmony-app"}), "ready");
  }));
  const auto log = run_tool({"podman", "logs", "harmony-app"});
  INFO(log);
  CHECK(contains(log, "uid=1000(app) gid=1000(app)"));
  CHECK(contains(log, "GREETING=a b=c"));
  CHECK(contains(log, "from the host"));
  CHECK(contains(log, "Read-only file system"));
  CHECK(contains(log, "tmpfs-written"));
  CHECK_FALSE(fs::exists(data / "y"));
}

TEST_CASE("podman: each network -> in effect") {
  podman_bed bed;
  auto want = want_app();
  want.spec.network = GENERATE("none", "host", "harmony-net");
  if (want.spec.network == "harmony-net")
    run_tool({"podman", "network", "create", want.spec.network});
  bed.converge(want);
  const auto there = podman_bed::inspect("harmony-app");
  if (want.spec.network == "harmony-net") {
    CHECK(there["NetworkSettings"]["Networks"].contains("harmony-net"));
    run_tool({"podman", "network", "rm", "--force", "--time", "0", "harmony-net"});
  } else {
    CHECK(there["HostConfig"]["NetworkMode"] == want.spec.network);
  }
}

TEST_CASE("podman: a published port -> reaches the container") {
  podman_bed bed;
  auto want = want_app();
  const auto port = free_port();
  want.spec.command = {"/bin/httpd", "-f", "-p", "80", "-h", "/"};
  want.spec.ports = {{port, 80, transport_protocol::tcp, {}}};
  bed.converge(want);
  CHECK(eventually([&] { return contains(fetch(port, "/marker"), "\r\n\r\n1"); }));
}

TEST_CASE("podman: it exits -> terminated with code and last words, started again, counted") {
  podman_bed bed;
  auto want = want_app();
  want.spec.command = {"/bin/sh", "-c", "echo no configuration; exit 3"};
  REQUIRE(bed.step(want));
  for (unsigned restarts = 0; restarts < 2; ++restarts) {
    REQUIRE(eventually([&] {
      const auto seen = bed.observe(want);
      return seen && seen->found && seen->found->status == container_status::exited
             && !seen->last_words.empty();
    }));
    const auto state = bed.state(want);
    const auto& ended = std::get<container_terminated>(state.state);
    CHECK(ended.exit_code == 3);
    CHECK(ended.restarts == restarts);
    CHECK_FALSE(ended.finished.empty());
    const auto plan = bed.plan(want);
    REQUIRE(plan);
    REQUIRE(plan->size() == 1);
    CHECK(plan->front().what == action::restart);
    CHECK(contains(plan->front().from, "exited with code 3, last output: '"));
    CHECK(contains(plan->front().from, "no configuration"));
    bed.restart_agent();
    REQUIRE(bed.step(want));
  }
}

TEST_CASE("podman: a new stamp -> the same container, restarted once") {
  podman_bed bed;
  auto want = want_app();
  want.restart_stamp = "s1";
  bed.converge(want);
  const auto before = bed.state(want);
  want.restart_stamp = "s2";
  bed.converge(want);
  const auto after = bed.state(want);
  CHECK(after.id == before.id);
  CHECK(std::get<container_running>(after.state).since
        > std::get<container_running>(before.state).since);
  bed.restart_agent();
  bed.converge(want);
  CHECK(bed.state(want) == after);
}

TEST_CASE("podman: removed or stopped by hand -> absent or terminated, and healed") {
  podman_bed bed;
  const auto want = want_app();
  bed.converge(want);
  run_tool({"podman", "rm", "--force", "--time", "0", "harmony-app"});
  CHECK(bed.state(want).state == decltype(container_state::state){container_waiting{"absent"}});
  bed.converge(want);
  const auto id = bed.state(want).id;
  run_tool({"podman", "stop", "--time", "5", "harmony-app"});
  CHECK(std::holds_alternative<container_terminated>(bed.state(want).state));
  bed.converge(want);
  CHECK(bed.state(want).id == id);
}

TEST_CASE("podman: a foreign container has the name -> name_conflict, left alone") {
  podman_bed bed;
  const auto id = run_tool(
    {"podman", "run", "--detach", "--name", "harmony-app", "--network", "none", bed_image});
  const auto want = want_app();
  const auto done = bed.step(want);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::name_conflict);
  auto ctx = bed.context();
  // Also where it appeared after the plan was made.
  const auto late =
    bed.subject().apply(want, {{action::create, "state", "absent", "running"}}, ctx);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ec::name_conflict);
  CHECK(contains(late.error().message, "podman rm"));
  REQUIRE(bed.subject().remove({want.id, "harmony-app", true, {}}, ctx));
  const auto there = podman_bed::inspect("harmony-app");
  CHECK(there["Id"] == id);
  CHECK(there["State"]["Status"] == "running");
}

TEST_CASE("podman: the port is taken -> port_in_use with its number; free again -> it runs") {
  podman_bed bed;
  auto want = want_app();
  const auto port = free_port();
  want.spec.ports = {{port, 80, transport_protocol::tcp, {}}};
  {
    const listener taken{port};
    for (int i = 0; i < 2; ++i) {
      const auto done = bed.step(want);
      REQUIRE_FALSE(done);
      CHECK(done.error().code == ec::port_in_use);
      CHECK(contains(done.error().message, "port " + std::to_string(port) + " is taken"));
      CHECK(contains(done.error().message, "'harmony-app'"));
    }
  }
  bed.converge(want);
  CHECK(std::get<container_running>(bed.state(want).state).restarts == 0);
}

TEST_CASE("podman: a spec that cannot run -> its own reason") {
  podman_bed bed;
  auto want = want_app();
  auto expected = ec::container_failed;
  std::string word;
  SECTION("no such program") {
    want.spec.command = {word = "/bin/nope"};
  }
  SECTION("no such folder to bind") {
    want.spec.mounts = {{mount_type::bind, word = "/not/there", "/data", false}};
  }
  SECTION("no such network") {
    want.spec.network = word = "nowhere";
  }
  SECTION("no such user") {
    want.spec.user = word = "nobody-here";
    expected = ec::no_such_user;
  }
  SECTION("no such image, by digest") {
    want.spec.image = "localhost/harmony-test@sha256:" + std::string(64, '0');
    want.spec.pull = pull_policy::never;
    word = want.spec.image;
    expected = ec::image_not_found;
  }
  const auto done = bed.step(want);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == expected);
  CHECK(contains(done.error().message, word));
  INFO(done.error().message);
  CHECK(contains(done.error().message, "harmony-app") == (expected != ec::image_not_found));
}

TEST_CASE("podman: removed -> container, record and anonymous volumes gone; the rest stays") {
  podman_bed bed;
  auto want = want_app();
  want.spec.mounts = {{mount_type::volume, "harmony-kept", "/vol", false}};
  bed.converge(want);
  const auto owned = bed.owned().all().front();
  auto ctx = bed.context();
  for (int i = 0; i < 2; ++i)
    REQUIRE(bed.subject().remove(owned, ctx));
  CHECK(bed.owned().all().empty());
  CHECK(run_tool({"podman", "ps", "--all", "--quiet"}).empty());
  CHECK(run_tool({"podman", "volume", "ls", "--quiet"}) == "harmony-kept");
  CHECK(run_tool({"podman", "image", "exists", bed_image}).empty());
}

TEST_CASE("podman: it ignores SIGTERM -> removed by SIGKILL within the deadline") {
  podman_bed bed;
  auto want = want_app();
  want.spec.command = {"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"};
  bed.converge(want);
  REQUIRE(eventually([] {
    return contains(run_tool({"podman", "logs", "harmony-app"}), "ready");
  }));
  const auto owned = bed.owned().all().front();
  auto ctx = bed.context(std::chrono::seconds{4});
  REQUIRE(bed.subject().remove(owned, ctx));
  CHECK(run_tool({"podman", "ps", "--all", "--quiet"}).empty());
}

} // namespace harmony::test
