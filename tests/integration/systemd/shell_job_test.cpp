// What a job does and how its end is told, on a real service manager.

#include <atomic>
#include <filesystem>
#include <thread>

#include "job_fixture.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using lines = std::vector<std::string>;
using Catch::Matchers::Contains;

bool has_unit(const std::string& name) {
  return !shell("systemctl list-units --all --no-legend '" + name + "'").empty();
}

std::size_t count_lines(const std::filesystem::path& file) {
  const auto text = read_file(file);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("shell job: command that succeeds -> recorded with output and times, unit gone") {
  job_fixture d;
  const auto want = script_of("ok", "echo out; echo err >&2");
  const auto state = d.must_converge(want);
  CHECK(state.exit_code == 0);
  CHECK(state.standard_output == "out\n");
  CHECK(state.standard_error == "err\n");
  CHECK(parse_time(state.started).has_value());
  CHECK(parse_time(state.finished).has_value());
  CHECK(d.audit.lines == lines{"job-started", "job-ended success, exit status 0"});
  CHECK_FALSE(has_unit("harmony-job-ok*"));
  CHECK(std::filesystem::is_empty("/run/harmony-jobs"));
}

TEST_CASE("shell job: exit status 3 -> JobFailed with status and last words, run again later") {
  job_fixture d;
  const auto want = script_of("three", "echo first >&2; echo 'the reason' >&2; exit 3");
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::job_failed);
  CHECK(why.message
        == "'/bin/sh' ended with exit status 3; its last words: 'the reason'; see journalctl -u "
           "harmony-job-three.service");
  CHECK(d.state(want).exit_code == 3);
  CHECK_FALSE(has_unit("harmony-job-three*"));
  d.must_fail(want);
  CHECK(d.audit.lines
        == lines{"job-started", "job-ended exit-code, exit status 3", "job-started",
                 "job-ended exit-code, exit status 3"});
}

TEST_CASE("shell job: signal -> JobFailed with its name") {
  job_fixture d;
  const auto want = script_of("signal", "kill -SEGV $$");
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::job_failed);
  CHECK_THAT(why.message, Contains("was killed by signal SEGV"));
  CHECK(d.state(want).signal == "SEGV");
  CHECK_FALSE(d.state(want).exit_code.has_value());
}

TEST_CASE("shell job: longer than its time -> killed with all it started, JobFailed") {
  job_fixture d;
  auto want = script_of("slow", "sleep 98761 & sleep 98761");
  want.spec.timeout = 1;
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::job_failed);
  CHECK_THAT(why.message, Contains("did not end within 1 s (timeoutSeconds) and was killed"));
  CHECK(shell("pgrep -f '[s]leep 98761'").empty());
}

TEST_CASE("shell job: deaf to SIGTERM -> killed all the same") {
  job_fixture d;
  auto want = script_of("deaf", "trap '' TERM; while :; do sleep 0.1; done");
  want.spec.timeout = 1;
  const auto why = d.must_fail(want);
  CHECK_THAT(why.message, Contains("did not end within 1 s"));
  CHECK(d.state(want).signal == "KILL");
}

TEST_CASE("shell job: arguments and variables -> reach the program as they are") {
  job_fixture d;
  auto want = job_of("verbatim", {"/usr/bin/printf", "[%s]", "$HOME", "${X}", "%n %%", "a b", ";",
                                  "'\"\\", "", "\u00e9\n", "-"});
  CHECK(d.must_converge(want).standard_output
        == "[$HOME][${X}][%n %%][a b][;]['\"\\][][\u00e9\n][-]");
  want = script_of("variables", R"(printf '[%s]' "$A" "$B")");
  want.spec.env = {{"A", "50% of $HOME \"x\""}, {"B", "two\nlines"}};
  CHECK(d.must_converge(want).standard_output == "[50% of $HOME \"x\"][two\nlines]");
}

TEST_CASE("shell job: much output of any bytes -> its end, as text, 2 KiB of each") {
  job_fixture d;
  const auto want = script_of("loud", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); "
                                      "done; head -c 5000 /dev/urandom >&2; printf 'a\\0b' >&2");
  const auto state = d.must_converge(want);
  CHECK(state.standard_output.size() <= job_output_limit);
  CHECK(state.standard_output.size() > job_output_limit - 8);
  CHECK_THAT(state.standard_output, Catch::Matchers::EndsWith("line 4998\nline 4999\n"));
  CHECK(state.standard_error.size() <= job_output_limit);
  CHECK_THAT(state.standard_error, Catch::Matchers::EndsWith("a\uFFFDb"));
}

TEST_CASE("shell job: folder of the output -> root's alone, of a size of its own") {
  job_fixture d;
  d.must_converge(job_of("folder", {"/bin/true"}));
  CHECK(shell("stat -c %a:%U /run/harmony-jobs") == "700:root");
  CHECK(shell("findmnt -rno SIZE /run/harmony-jobs") == "32M");
  shell("umount /run/harmony-jobs"); // by somebody: made anew
  d.must_converge(job_of("folder2", {"/bin/true"}));
  CHECK(shell("findmnt -rno SIZE /run/harmony-jobs") == "32M");
}

TEST_CASE("shell job: many at once, the first of this boot -> each has its own output") {
  job_fixture d;
  shell("umount /run/harmony-jobs");
  std::vector<desired_job> wants;
  for (int i = 0; i < 12; ++i)
    wants.push_back(job_of("many" + std::to_string(i), {"/bin/echo", std::to_string(i)}));
  std::vector<std::thread> applies;
  std::atomic<int> good = 0;
  for (const auto& want : wants)
    applies.emplace_back([&d, &good, &want] { good += d.converge(want).ok() ? 1 : 0; });
  for (auto& a : applies)
    a.join();
  CHECK(good == 12);
  for (std::size_t i = 0; i < wants.size(); ++i)
    CHECK(d.state(wants[i]).standard_output == std::to_string(i) + "\n");
  CHECK(std::filesystem::is_empty("/run/harmony-jobs"));
}

TEST_CASE("shell job: manager that executes itself anew during a run -> the run is taken up") {
  job_fixture d;
  const job_site site;
  auto want = script_of("reexec", "echo run; while [ ! -e " + (site / "go").string()
                                    + " ]; do sleep 0.02; done; echo after");
  outcome<void> done;
  std::thread apply{[&] { done = d.converge(want); }};
  CHECK(eventually([&] { return job_fixture::property(want, "ActiveState") == "activating"; }));
  shell("systemctl daemon-reexec");
  write_file(site / "go", "");
  apply.join();
  if (!done.ok()) // it lost the connection; the next attempt goes on
    CHECK(done.error().code == ec::runtime_unavailable);
  CHECK(eventually([&] { return d.converge(want).ok(); }));
  CHECK(d.state(want).standard_output == "run\nafter\n");
  CHECK(std::count(d.audit.lines.begin(), d.audit.lines.end(), "job-started") == 1);
}

TEST_CASE("shell job: endless output -> its file stays small while it runs") {
  job_fixture d;
  auto want = script_of("endless", "while :; do head -c 100000 /dev/zero | tr '\\0' x; "
                                   "sleep 0.01; done");
  want.spec.timeout = 4;
  outcome<void> done;
  std::thread apply{[&] { done = d.converge(want); }};
  const auto file = "/run/harmony-jobs/harmony-job-endless.service.stdout";
  long written = 0;
  long kept = 0;
  CHECK(eventually([&] {
    written = std::atol(shell(std::string{"stat -c %s "} + file).c_str());
    kept = std::atol(shell(std::string{"stat -c %b "} + file).c_str()) * 512;
    return written > 10'000'000 && kept < written / 2;
  }));
  apply.join();
  CHECK_FALSE(done.ok());
  CHECK(d.state(want).standard_output == std::string(job_output_limit, 'x'));
}

TEST_CASE("shell job: creates -> no run where the path exists, remembered") {
  job_fixture d;
  const job_site site;
  auto want = script_of("creates", "echo ran");
  want.spec.creates = (site / "there").string();
  CHECK(d.must_converge(want).skipped.empty());
  write_file(site / "there", "");
  want.revision = "sha256:2";
  CHECK(d.must_converge(want).skipped == "creates");
  CHECK(d.audit.lines.back() == "job-skipped creates");
  std::filesystem::remove(site / "there");
  CHECK(d.converged(want));
}

TEST_CASE("shell job: unless -> decides by its exit status, in the job's sandbox") {
  job_fixture d;
  auto want = script_of("unless", "echo ran");
  want.spec.unless = {"/bin/sh", "-c", "touch /etc/unless-was-here; exit 0"};
  CHECK(d.must_converge(want).skipped == "unless");
  CHECK(d.state(want).standard_output.empty());
  CHECK_FALSE(std::filesystem::exists("/etc/unless-was-here"));
  CHECK(d.audit.lines
        == lines{"guard-started", "guard-ended success, exit status 0", "job-skipped unless"});
  want.revision = "sha256:2";
  want.spec.unless = {"/bin/sh", "-c", "exit 1"};
  CHECK(d.must_converge(want).standard_output == "ran\n");
  CHECK_FALSE(has_unit("harmony-job-unless*"));
}

TEST_CASE("shell job: a guard that cannot answer -> JobFailed that names it, no run") {
  job_fixture d;
  auto want = script_of("badguard", "echo ran");
  want.spec.unless = {"/no/such/guard"};
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::job_failed);
  CHECK_THAT(why.message, Contains("the guard 'unless': '/no/such/guard' cannot be executed"));
  CHECK(std::count(d.audit.lines.begin(), d.audit.lines.end(), "job-started") == 0);
  want.spec.unless = {"/bin/sh", "-c", "kill -KILL $$"};
  CHECK_THAT(d.must_fail(want).message, Contains("was killed by signal KILL"));
  CHECK_FALSE(has_unit("harmony-job-badguard*"));
}

TEST_CASE("shell job: what the runtime refuses -> a reason of its own") {
  struct bad {
    const char* name;
    std::function<void(shell_job_spec&)> spoil;
    ec code;
    const char* message;
  };
  const std::vector<bad> table{
    {"user", [](auto& s) { s.user = "nobody-of-this-name"; }, ec::no_such_user,
     "there is no user 'nobody-of-this-name' on this device"},
    {"program", [](auto& s) { s.command = {"/no/such/program"}; }, ec::job_failed,
     "'/no/such/program' cannot be executed"},
    {"folder", [](auto& s) { s.command = {"/etc"}; }, ec::job_failed, "'/etc' cannot be executed"},
    {"hidden", [](auto& s) { s.command = {"/root/program"}; }, ec::job_failed,
     "out of the job's sight"},
    {"dir", [](auto& s) { s.working_dir = "/no/such/dir"; }, ec::job_failed,
     "the folder '/no/such/dir' (workingDir) cannot be entered"},
    {"writable", [](auto& s) { s.writable = {"/no/such/path"}; }, ec::job_failed,
     "does each path of writablePaths exist?"}};
  for (const auto& each : table) {
    DYNAMIC_SECTION(each.name) {
      job_fixture d;
      auto want = job_of(std::string{"bad-"} + each.name, {"/bin/true"});
      each.spoil(want.spec);
      const auto why = d.must_fail(want);
      CHECK(why.code == each.code);
      CHECK_THAT(why.message, Contains(each.message));
    }
  }
}

TEST_CASE("shell job: same revision again, another one, another restart stamp -> run once each") {
  job_fixture d;
  const job_site site;
  auto want = script_of("once", "echo run >> " + (site / "runs").string());
  want.spec.user = "root";
  want.spec.writable = {site.path()};
  d.must_converge(want);
  CHECK(d.converge(want).ok());
  d.restart_agent();
  CHECK(d.converge(want).ok());
  CHECK(count_lines(site / "runs") == 1);
  want.revision = "sha256:2";
  d.must_converge(want);
  CHECK(count_lines(site / "runs") == 2);
  want.restart_stamp = "File/conf@2";
  d.must_converge(want);
  CHECK(count_lines(site / "runs") == 3);
}

TEST_CASE("shell job: agent stopped during the run -> the run goes on and is taken up, once") {
  job_fixture d;
  const job_site site;
  auto want =
    script_of("adopt", "echo run >> " + (site / "runs").string() + "; echo before; while [ ! -e "
                         + (site / "go").string() + " ]; do sleep 0.02; done; echo after");
  want.spec.user = "root";
  want.spec.writable = {site.path()};
  const bool ended = GENERATE(false, true);
  CAPTURE(ended);
  std::stop_source stop;
  outcome<void> done;
  std::thread apply{[&] { done = d.converge(want, seconds{30}, stop.get_token()); }};
  REQUIRE(eventually([&] { return std::filesystem::exists(site / "runs"); }));
  stop.request_stop();
  apply.join();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::canceled);
  if (ended) {
    write_file(site / "go", "");
    REQUIRE(eventually([&] { return job_fixture::property(want, "SubState") == "exited"; }));
  }
  d.restart_agent();
  CHECK_FALSE(d.converged(want));
  std::thread go{[&] { write_file(site / "go", ""); }};
  const auto state = d.must_converge(want);
  go.join();
  CHECK(state.standard_output == "before\nafter\n");
  CHECK(count_lines(site / "runs") == 1);
  CHECK(d.audit.lines == lines{"job-started", "job-ended success, exit status 0"});
}

TEST_CASE("shell job: deadline before the end -> TimedOut, the run goes on and is awaited again") {
  job_fixture d;
  const auto want = script_of("late", "sleep 1; echo done");
  const auto first = d.converge(want, milliseconds{300});
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().code == ec::timed_out);
  CHECK(d.look(want).unit == job_unit_owner::current);
  CHECK(d.must_converge(want).standard_output == "done\n");
  CHECK(d.audit.lines == lines{"job-started", "job-ended success, exit status 0"});
}

TEST_CASE("shell job: run that somebody stopped -> JobFailed with the signal, made again") {
  job_fixture d;
  auto want = script_of("stopped", "sleep 98762");
  outcome<void> done;
  std::thread apply{[&] { done = d.converge(want); }};
  CHECK(eventually([&] { return job_fixture::property(want, "ActiveState") == "activating"; }));
  shell("systemctl stop harmony-job-stopped.service");
  apply.join();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::job_failed);
  CHECK_THAT(done.error().message, Contains("was killed by signal TERM"));
  want.spec.command = {"/bin/true"}; // the revision stays: the same job, made again
  d.must_converge(want);
}

TEST_CASE("shell job: run that left no trace (a reboot) -> interrupted, JobFailed, made again") {
  job_fixture d;
  auto want = script_of("lost", "sleep 98768");
  CHECK_FALSE(d.converge(want, milliseconds{300}).ok());
  shell("systemctl stop harmony-job-lost.service; systemctl reset-failed harmony-job-lost.service");
  d.restart_agent();
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::job_failed);
  CHECK_THAT(why.message, Contains("was interrupted"));
  CHECK(d.audit.lines.back() == "job-ended interrupted");
  want.spec.command = {"/bin/true"};
  d.must_converge(want);
}

TEST_CASE("shell job: another revision during a run -> the old run is killed, the new one made") {
  job_fixture d;
  auto want = script_of("newer", "sleep 98763");
  CHECK_FALSE(d.converge(want, milliseconds{300}).ok());
  want.revision = "sha256:2";
  want.spec.command = {"/bin/echo", "new"};
  CHECK(d.must_converge(want).standard_output == "new\n");
  CHECK(shell("pgrep -f '[s]leep 98763'").empty());
  CHECK(d.audit.lines
        == lines{"job-started", "job-ended killed: another revision is wanted", "job-started",
                 "job-ended success, exit status 0"});
}

TEST_CASE("shell job: remove -> a run is killed, unit, output and record are gone") {
  job_fixture d;
  const auto want = script_of("gone", "sleep 98764");
  CHECK_FALSE(d.converge(want, milliseconds{300}).ok());
  const auto record = *d.owned.find(want.id, job_unit_name(want.id));
  REQUIRE(d.remove(record).ok());
  CHECK(shell("pgrep -f '[s]leep 98764'").empty());
  CHECK_FALSE(has_unit("harmony-job-gone*"));
  CHECK(std::filesystem::is_empty("/run/harmony-jobs"));
  CHECK(d.owned.all().empty());
  CHECK(d.audit.lines.back() == "job-ended killed: it left the manifest");
  CHECK(d.remove(record).ok());
}

TEST_CASE("shell job: unit of its name that is somebody else's -> NameConflict, left alone") {
  job_fixture d;
  const auto want = job_of("foreign", {"/bin/true"});
  shell("systemd-run --unit=harmony-job-foreign.service sleep 98765");
  const auto why = d.must_fail(want);
  CHECK(why.code == ec::name_conflict);
  CHECK(d.remove({want.id, job_unit_name(want.id), true, {}}).ok());
  CHECK(job_fixture::property(want, "ActiveState") == "active");
  shell("systemctl stop harmony-job-foreign.service");
}

TEST_CASE("shell job: hanging job -> others run meanwhile, cancel ends the wait at once") {
  job_fixture d;
  std::stop_source stop;
  outcome<void> done;
  const auto slow = script_of("hang", "sleep 98766");
  std::thread apply{[&] { done = d.converge(slow, seconds{30}, stop.get_token()); }};
  REQUIRE(eventually([&] { return d.look(slow).unit == job_unit_owner::current; }));
  d.must_converge(script_of("quick", "echo quick"));
  const auto asked = clock::now();
  stop.request_stop();
  apply.join();
  CHECK(clock::now() - asked < seconds{2});
  CHECK(done.error().code == ec::canceled);
}

} // namespace harmony::test
