// What is to be done for a job, its record, its unit and its text: all of it pure.

#include "shell_job_fake.hpp"
#include "support/catch.hpp"
#include "unit/reconcilers/plan_table.hpp"

namespace harmony::test {

namespace {

using stage = job_record::stage;
using Catch::Matchers::Contains;

job_record record(const job_device::want_t& want, stage at, std::string result = {}) {
  auto r = begin_record(want, at);
  r.result = std::move(result);
  return r;
}

job_record ended(const job_device::want_t& want, std::string result, int code, int status) {
  auto r = begin_record(want, stage::running);
  transient_run run;
  run.active_state = result == "success" ? "active" : "failed";
  run.result = {std::move(result), code, status, true};
  note_end(r, run);
  return r;
}

} // namespace

TEST_CASE("shell job plan: the table in docs/reconcilers/shell-job.md -> the planner's answers") {
  struct job_case {
    job_device::want_t want = job_want();
    shell_job_observed seen{record(job_want(), stage::ended, "success"), {}, {}, {}};
  };
  using owner = job_unit_owner;
  const auto stands = [](stage at) {
    return [at](job_case& it, const std::string&) { it.seen.record = record(it.want, at); };
  };
  const auto unit = [](owner is) {
    return [is](job_case& it, const std::string&) { it.seen.unit = is; };
  };
  const vocabulary<job_case> now{
    {"in place", [](job_case&, const std::string&) {}},
    {"no record", [](job_case& it, const std::string&) { it.seen.record.reset(); }},
    {"guards looked at", stands(stage::checking)},
    {"run begun", stands(stage::running)},
    {"ended ",
     [](job_case& it, const std::string& value) {
       it.seen.record = record(it.want, stage::ended, value);
     }},
    {"of another revision",
     [](job_case& it, const std::string&) {
       auto other = it.want;
       other.revision = "sha256:0";
       it.seen.record->desire = job_desire(other);
     }},
    {"of another stamp",
     [](job_case& it, const std::string&) {
       auto other = it.want;
       other.restart_stamp = "File/conf@1";
       it.seen.record->desire = job_desire(other);
     }},
    {"its unit", unit(owner::current)},
    {"its unit ended",
     [](job_case& it, const std::string&) { it.seen.unit = owner::current, it.seen.over = true; }},
    {"unit of another revision", unit(owner::former)},
    {"foreign unit", unit(owner::foreign)},
  };
  const vocabulary<job_case> wanted{{"the same", [](job_case&, const std::string&) {}}};
  check_plans<job_case>(
    "shell-job", {}, now, wanted,
    [](const job_case& it) { return shell_job_operations::plan(it.want, it.seen); },
    {{"sha256:1", "this revision"}, {"harmony-job-once.service", "its unit"}});
}

TEST_CASE("shell job record: written and read -> the same; a note that is none -> nothing") {
  auto r = record(job_want(), stage::ended, "signal");
  r.state = {"",        {}, "KILL", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z",
             "a\n\"\t", "é"};
  CHECK(read_job_record(write_job_record(r)) == r);
  r.state.exit_code = 0;
  CHECK(read_job_record(write_job_record(r)) == r);
  for (const auto* note : {"", "stamp", "[]", "{\"stage\":", "null"})
    CHECK_FALSE(read_job_record(note).has_value());
  CHECK(read_job_record("{\"stage\":7,\"exitCode\":\"x\"}") == job_record{});
}

TEST_CASE("shell job verdict: how a run ended -> reason and message") {
  auto want = job_want();
  want.spec.timeout = 5;
  want.spec.user = "web";
  want.spec.working_dir = "/d";
  constexpr int exited = 1; // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  constexpr int killed = 2;
  constexpr int dumped = 3;
  struct line {
    const char* result;
    int code, status;
    ec expected;
    const char* message;
  };
  const std::vector<line> table{
    {"exit-code", exited, 3, ec::job_failed, "'/bin/ok' ended with exit status 3; see journalctl"},
    {"signal", killed, 9, ec::job_failed, "was killed by signal KILL"},
    {"core-dump", dumped, 11, ec::job_failed, "was killed by signal SEGV"},
    {"timeout", killed, 15, ec::job_failed, "did not end within 5 s (timeoutSeconds)"},
    {"timeout", exited, 0, ec::job_failed, "did not end within 5 s (timeoutSeconds)"},
    {"oom-kill", killed, 9, ec::job_failed, "needed more than its memory"},
    {"resources", 0, 0, ec::job_failed, "was not run: resources"},
    {"exit-code", exited, 203, ec::job_failed, "'/bin/ok' cannot be executed"},
    {"exit-code", exited, 217, ec::no_such_user, "there is no user 'web'"},
    {"exit-code", exited, 200, ec::job_failed, "the folder '/d' (workingDir)"},
    {"exit-code", exited, 226, ec::job_failed, "writablePaths"},
    {"exit-code", exited, 228, ec::job_failed, "systemd could not run '/bin/ok' (exit status 228)"},
    {"exit-code", exited, 246, ec::job_failed, "ended with exit status 246"}};
  for (const auto& each : table) {
    CAPTURE(each.result, each.status);
    const auto why = verdict(ended(want, each.result, each.code, each.status), want.spec, "u");
    REQUIRE_FALSE(why.ok());
    CHECK(why.error().code == each.expected);
    CHECK_THAT(why.error().message, Contains(each.message));
  }
  CHECK(verdict(ended(want, "success", exited, 0), want.spec, "u").ok());
  // A command that spoke was run, whatever its exit status.
  auto spoke = ended(want, "exit-code", exited, 203);
  spoke.state.standard_error = "mine";
  CHECK_THAT(verdict(spoke, want.spec, "u").error().message, Contains("exit status 203; its last"));
  // Stopped by somebody: the manager calls that a success.
  auto r = begin_record(want, stage::running);
  transient_run stopped;
  stopped.active_state = "inactive";
  stopped.result = {"success", 0, 0, true};
  note_end(r, stopped);
  CHECK_THAT(verdict(r, want.spec, "u").error().message, Contains("interrupted"));
}

TEST_CASE("shell job output: bytes -> text of at most so many bytes, whole characters") {
  CHECK(tail_as_text("", 10).empty());
  CHECK(tail_as_text("hello", 10) == "hello");
  CHECK(tail_as_text("hello", 3) == "llo");
  CHECK(tail_as_text("aé", 2) == "é");
  CHECK(tail_as_text("aé", 1).empty());
  CHECK(tail_as_text("\xA9tail", 10) == "tail"); // the end of a character that was cut in two
  CHECK(tail_as_text(std::string_view{"a\0b", 3}, 10) == "a\uFFFDb");
  CHECK(tail_as_text("a\xFF\xFE", 10) == "a\uFFFD\uFFFD");
  CHECK(tail_as_text("a\xC3", 10) == "a\uFFFD");
  CHECK(tail_as_text("x\xED\xA0\x80", 20) == "x\uFFFD\uFFFD\uFFFD");
  CHECK(tail_as_text("\xF0\x9F\x98\x80", 10) == "\xF0\x9F\x98\x80");
  CHECK(tail_as_text(std::string(5000, '\xFF'), 2048).size() <= 2048);
  CHECK(last_line("").empty());
  CHECK(last_line("\n \n").empty());
  CHECK(last_line("one\ntwo\n\n") == "two");
}

TEST_CASE("shell job unit: spec -> sandbox, limits, and the command as it is") {
  auto want = job_want();
  want.spec.env = {{"A", "1"}};
  want.spec.writable = {"/srv/data"};
  want.spec.memory = 64ULL << 20U;
  want.spec.tasks = 7;
  want.spec.cpu_percent = 150;
  want.spec.timeout = 9;
  auto unit = job_unit(want, "u.service", "what", want.spec.command, {"/state"});
  using texts = std::vector<std::string>;
  CHECK(*setting<exec_line>(unit, "ExecStartEx") == exec_line{want.spec.command});
  CHECK(*setting<texts>(unit, "Environment") == texts{"A=1"});
  CHECK(*setting<texts>(unit, "ReadWritePaths") == texts{"/srv/data"});
  CHECK(setting<texts>(unit, "InaccessiblePaths")->back() == "-/state");
  CHECK(*setting<bool>(unit, "DynamicUser"));
  CHECK(setting<std::string>(unit, "User") == nullptr);
  CHECK(setting<std::string>(unit, "WorkingDirectory") == nullptr);
  CHECK(*setting<bool>(unit, "PrivateNetwork"));
  CHECK(*setting<std::uint64_t>(unit, "CapabilityBoundingSet") == 0);
  CHECK(*setting<std::uint64_t>(unit, "MemoryMax") == 64ULL << 20U);
  CHECK(*setting<std::uint64_t>(unit, "TasksMax") == 7);
  CHECK(*setting<std::uint64_t>(unit, "CPUQuotaPerSecUSec") == 1'500'000);
  CHECK(*setting<std::uint64_t>(unit, "TimeoutStartUSec") == 9'000'000);
  want.spec.user = "web";
  want.spec.network = true;
  want.spec.working_dir = "/srv";
  want.spec.writable = {"/run"};
  unit = job_unit(want, "u.service", "what", want.spec.command, {});
  CHECK(*setting<std::string>(unit, "User") == "web");
  CHECK(setting<bool>(unit, "DynamicUser") == nullptr);
  CHECK_FALSE(*setting<bool>(unit, "PrivateNetwork"));
  CHECK(*setting<std::string>(unit, "WorkingDirectory") == "/srv");
  CHECK(setting<texts>(unit, "ReadOnlyPaths") == nullptr);
}

TEST_CASE("shell job unit: names -> a job's unit is never another's guard") {
  CHECK(job_unit_name({"ShellJob", "a-unless"}) == "harmony-job-a-unless.service");
  CHECK(guard_unit_name({"ShellJob", "a"}) == "harmony-job-a.unless.service");
  CHECK(is_unit_name(guard_unit_name({"ShellJob", "a"})));
}

TEST_CASE("shell job: apply limit -> its own time, and the guard's") {
  struct topology {
    fake_jobs& jobs();
  };
  auto want = job_want();
  want.spec.timeout = 1000;
  using reconciler_t = shell_job_reconciler<topology>;
  static_assert(reconciler<reconciler_t>);
  CHECK(reconciler_t::apply_limit(want) == std::chrono::seconds{1060});
  want.spec.unless = {"/bin/guard"};
  CHECK(reconciler_t::apply_limit(want) == std::chrono::seconds{2060});
}

} // namespace harmony::test
