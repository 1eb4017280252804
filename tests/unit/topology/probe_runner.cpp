// Checks against real processes and sockets.

#include "topology/probe_runner.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"
#include "unit/topology/local_server.hpp"
#include "unit/topology/on_device.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using Catch::Matchers::Contains;

probe exec(std::vector<std::string> command) {
  probe p;
  p.check = exec_probe{std::move(command)};
  p.timeout = 30;
  return p;
}

probe shell(const std::string& script) {
  return exec({"/bin/sh", "-c", script});
}

probe tcp(std::uint16_t port) {
  probe p;
  p.check = tcp_probe{"127.0.0.1", port};
  p.timeout = 30;
  return p;
}

probe http(std::uint16_t port, std::string path = "/") {
  probe p;
  p.check = http_probe{"127.0.0.1", port, std::move(path)};
  p.timeout = 30;
  return p;
}

outcome<probe_result> run(const probe& p, clock::duration limit = 30s) {
  return on_device(p, {}, clock::now() + limit);
}

/// The check's failure; a check that could not be made fails the test.
std::string why_failed(const outcome<probe_result>& result) {
  REQUIRE(result.ok());
  CHECK_FALSE(result->ok);
  CHECK(result->message.size() < 400);
  return result->message;
}

bool passes(const outcome<probe_result>& result) {
  INFO((result.ok() ? result->message : result.error().message));
  REQUIRE(result.ok());
  return result->ok;
}

/// Whether the process ended: gone, or a zombie that its new parent did not reap yet.
bool is_dead(pid_t pid) {
  std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
  std::string number;
  std::string name;
  std::string state;
  return !(stat >> number >> name >> state) || state == "Z" || state == "X";
}

template <class Condition>
bool await(Condition condition) {
  return eventually(condition, 10s);
}

pid_t read_pid(const std::filesystem::path& file) {
  pid_t pid = 0;
  std::ifstream{file} >> pid;
  return pid;
}

TEST_CASE("probe runner: exec -> exit status 0 is success") {
  CHECK(passes(run(exec({"true"}))));
  CHECK_THAT(why_failed(run(exec({"false"}))), Contains("'false' exited with status 1"));
}

TEST_CASE("probe runner: exec -> a failure shows status and first line of output") {
  const auto why = why_failed(run(shell("echo no luck >&2; echo more; exit 3")));
  CHECK(why == "'/bin/sh' exited with status 3: no luck");
  CHECK_THAT(why_failed(run(shell("kill -9 $$"))), Contains("killed by signal 9"));
}

TEST_CASE("probe runner: exec -> arguments reach the program as they are, no shell") {
  CHECK(passes(run(exec({"test", "$HOME; exit 1", "=", "$HOME; exit 1"}))));
}

TEST_CASE("probe runner: exec -> what cannot be started is the prober's error") {
  const temp_dir dir;
  write_file(dir / "plain", "#!/bin/sh\n");
  const auto missing = run(exec({"/no/such/program"}));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ec::io_error);
  CHECK_THAT(missing.error().message, Contains("'/no/such/program'") && Contains("No such file"));
  const auto plain = run(exec({(dir / "plain").string()}));
  REQUIRE_FALSE(plain.ok());
  CHECK(plain.error().code == ec::permission_denied);
  CHECK_FALSE(run(exec({})).ok());
}

TEST_CASE("probe runner: exec over its time -> failed, and its whole group is killed") {
  const temp_dir dir;
  const auto file = dir / "pid";
  const auto script = "sleep 1000 & echo $! > " + file.string() + ".new; mv " + file.string()
                      + ".new " + file.string() + "; wait";
  SECTION("the deadline passes") {
    auto result = std::async(std::launch::async, [&] { return run(shell(script), 1500ms); });
    REQUIRE(await([&] { return std::filesystem::exists(file); }));
    CHECK_THAT(why_failed(result.get()), Contains("did not end in time"));
  }
  SECTION("it is canceled") {
    std::stop_source stop;
    auto result = std::async(std::launch::async, [&] {
      return on_device(shell(script), stop.get_token(), clock::now() + 30s);
    });
    REQUIRE(await([&] { return std::filesystem::exists(file); }));
    const auto asked = clock::now();
    stop.request_stop();
    const auto answer = result.get();
    CHECK(clock::now() - asked < 5s);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ec::canceled);
  }
  const auto pid = read_pid(file);
  REQUIRE(pid > 0);
  CHECK(await([pid] { return is_dead(pid); }));
}

TEST_CASE("probe runner: exec -> its own timeout counts as well as the deadline") {
  auto p = shell("exec sleep 1000");
  p.timeout = 1;
  const auto begin = clock::now();
  CHECK_THAT(why_failed(run(p)), Contains("did not end in time"));
  CHECK(clock::now() - begin >= 1s);
  CHECK(clock::now() - begin < 10s);
}

TEST_CASE("probe runner: exec leaves a process behind -> answered at once, the process killed") {
  const temp_dir dir;
  const auto file = (dir / "pid").string();
  CHECK(passes(run(shell("sleep 1000 & echo $! > " + file))));
  const auto pid = read_pid(file);
  REQUIRE(pid > 0);
  CHECK(await([pid] { return is_dead(pid); }));
}

TEST_CASE("probe runner: exec floods its output -> not blocked, the message is bounded") {
  const auto why = why_failed(run(shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 1")));
  CHECK_THAT(why, Contains("status 1: xxxxx"));
  CHECK(why.size() < 260);
}

TEST_CASE("probe runner: exec -> gets none of the agent's files, input or secrets") {
  ::setenv("HARMONY_TEST_SECRET", "x", 1);
  const int leak = ::fcntl(STDERR_FILENO, F_DUPFD, 77); // survives an exec
  REQUIRE(leak >= 77);
  CHECK(passes(run(shell("test -z \"$HARMONY_TEST_SECRET\" && test -n \"$PATH\""))));
  CHECK(passes(run(shell("! test -e /proc/self/fd/" + std::to_string(leak)))));
  CHECK(passes(run(shell("! read -r line"))));
  ::close(leak);
  ::unsetenv("HARMONY_TEST_SECRET");
}

TEST_CASE("probe runner: canceled before it begins -> the prober's error, nothing is run") {
  const temp_dir dir;
  std::stop_source stop;
  stop.request_stop();
  const auto touched = dir / "touched";
  for (const auto& p : {exec({"touch", touched.string()}), tcp(1), http(1)}) {
    const auto result = on_device(p, stop.get_token(), clock::now() + 30s);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ec::canceled);
  }
  CHECK_FALSE(std::filesystem::exists(touched));
}

TEST_CASE("probe runner: tcp -> a connection is success, a refused one failure") {
  const local_server server{[](int, const auto&) {}};
  CHECK(passes(run(tcp(server.port()))));

  std::uint16_t port = 0;
  const int closed = bound_socket(port);
  CHECK_THAT(why_failed(run(tcp(port))),
             Contains("'127.0.0.1:" + std::to_string(port) + "': Connection refused"));
  ::close(closed);
}

/// A port whose connections neither succeed nor fail: its queue is full.
class silent_port {
public:
  silent_port() : listener_(bound_socket(port)) {
    REQUIRE(::listen(listener_, 0) == 0);
    while (passes_now())
      ;
  }
  silent_port(const silent_port&) = delete;
  silent_port& operator=(const silent_port&) = delete;
  ~silent_port() { ::close(listener_); }

  std::uint16_t port = 0;

private:
  bool passes_now() const {
    const auto result = run(tcp(port), 100ms);
    return result.ok() && result->ok;
  }

  int listener_;
};

TEST_CASE("probe runner: tcp without an answer -> failed when the time is over") {
  const silent_port silent;
  CHECK_THAT(why_failed(run(tcp(silent.port), 100ms)), Contains("did not answer in time"));
}

TEST_CASE("probe runner: tcp without an answer -> a cancel ends the wait") {
  const silent_port silent;
  std::stop_source stop;
  auto result = std::async(std::launch::async, [&] {
    return on_device(tcp(silent.port), stop.get_token(), clock::now() + 30s);
  });
  const auto asked = clock::now();
  stop.request_stop();
  const auto answer = result.get();
  CHECK(clock::now() - asked < 5s);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ec::canceled);
}

TEST_CASE("probe runner: no descriptor is left -> the prober's error, not the resource's") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const local_server server{[](int, const auto&) {}};
  const int highest = ::dup(STDERR_FILENO);
  // One is left for the event that tells of a cancel; none for the check itself.
  const rlimit none{static_cast<rlim_t>(highest) + 1, before.rlim_max};
  ::close(highest);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto by_tcp = run(tcp(server.port()));
  const auto by_http = run(http(server.port()));
  const auto by_exec = run(exec({"true"}));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(by_tcp.ok());
  CHECK_FALSE(by_http.ok());
  CHECK_FALSE(by_exec.ok());
}

} // namespace

} // namespace harmony::test
