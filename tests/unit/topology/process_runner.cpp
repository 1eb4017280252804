#include "topology/process_runner.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {
namespace {

using namespace std::chrono_literals;
using ending = process_result::ending;
using clock = std::chrono::steady_clock;

process_command shell(const std::string& script) {
  process_command c;
  c.arguments = {"/bin/sh", "-c", script};
  c.environment = {"PATH=/usr/bin:/bin"};
  return c;
}

process_result run(const process_command& c, clock::duration limit = 30s) {
  auto ended = run_process(c, check_limits{{}, clock::now() + limit});
  INFO((ended ? "" : ended.error().message));
  REQUIRE(ended.ok());
  return std::move(*ended);
}

template <class Condition>
bool await(Condition condition) {
  return eventually(condition, 10s);
}

bool runs(const std::filesystem::path& pid_file) {
  pid_t pid = 0;
  std::ifstream{pid_file} >> pid;
  REQUIRE(pid > 0);
  std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
  std::string number;
  std::string name;
  std::string state;
  return (stat >> number >> name >> state) && state != "Z" && state != "X";
}

TEST_CASE("process runner: both streams -> kept in order, with the exit status") {
  const auto ended = run(shell("echo one; echo two >&2; exit 3"));
  CHECK(ended.how == ending::exited);
  CHECK(ended.number == 3);
  CHECK(ended.output == "one\ntwo\n");
  CHECK_FALSE(ended.ok());
  CHECK(run(shell("kill -9 $$")).how == ending::signaled);
}

TEST_CASE("process runner: more output than is kept -> its end, or its beginning") {
  auto c = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  c.keep = 12;
  CHECK(run(c).output == "\nline 19999\n");
  c.kept = process_command::part::beginning;
  CHECK(run(c).output == "line 0\nline ");
}

TEST_CASE("process runner: environment -> the one given and nothing else") {
  auto c = shell("/usr/bin/env");
  c.environment = {"ONE=1"};
  const auto got = run(c).output;
  CHECK(got.find("ONE=1\n") != std::string::npos);
  CHECK(got.find("HOME=") == std::string::npos);
}

TEST_CASE("process runner: interrupted with a grace -> the program ends in order") {
  auto c = shell("trap 'echo in order; exit 0' INT; echo up; while :; do sleep 0.05; done");
  c.grace = 10s;
  const auto began = clock::now();
  const auto ended = run(c, 500ms);
  CHECK(ended.how == ending::timed_out);
  CHECK(ended.output == "up\nin order\n");
  CHECK(clock::now() - began < 9s);
}

TEST_CASE("process runner: interrupted and deaf -> killed with its group after the grace") {
  const temp_dir dir;
  auto c = shell("trap '' INT; sleep 1000 & echo $! > " + (dir / "pid").string() + "; wait");
  c.grace = 200ms;
  std::stop_source stop;
  std::thread canceling{[&] {
    (void)await([&] {
      return std::filesystem::exists(dir / "pid") && std::filesystem::file_size(dir / "pid") > 0;
    });
    stop.request_stop();
  }};
  const auto ended = run_process(c, check_limits{stop.get_token(), clock::now() + 30s});
  canceling.join();
  REQUIRE(ended.ok());
  CHECK(ended->how == ending::canceled);
  CHECK(await([&] { return !runs(dir / "pid"); }));
}

TEST_CASE("process runner: leaves a process behind -> killed, or kept on wish") {
  const temp_dir dir;
  auto c = shell("sleep 1000 & echo $! > " + (dir / "pid").string());
  SECTION("killed") {
    CHECK(run(c).ok());
    CHECK(await([&] { return !runs(dir / "pid"); }));
  }
  SECTION("kept") {
    c.keep_group = true;
    CHECK(run(c).ok());
    CHECK(runs(dir / "pid"));
    pid_t pid = 0;
    std::ifstream{dir / "pid"} >> pid;
    ::kill(pid, SIGKILL);
  }
}

TEST_CASE("process runner: cannot be started -> the system's words") {
  const auto missing = run_process({{"/no/such/program"}, {}}, check_limits{{}, clock::now() + 1s});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error() == failure{ec::io_error, "No such file or directory"});
  CHECK_FALSE(run_process({}, check_limits{{}, clock::now() + 1s}).ok());
}

} // namespace
} // namespace harmony::test
