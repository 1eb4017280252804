// What an apply of a job does, in which order, and what is left when it is killed in between.

#include <filesystem>

#include "shell_job_fake.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using calls = std::vector<std::string>;
using Catch::Matchers::Contains;

struct killed {};

fake_jobs::ending failing(int status, std::string err = {}) {
  return {"failed", {"exit-code", 1, status, true}, "", std::move(err)};
}

/// The device restarts: nothing runs any more.
void reboot(job_device& d) {
  d.manager.units.clear();
}

} // namespace

TEST_CASE("shell job apply: new job -> audited, claimed, started, audited, recorded, let go") {
  job_device d;
  d.manager.programs["/bin/ok"].out = "hello\n";
  const auto want = job_want();
  CHECK(d.converge(want).ok());
  CHECK(d.take_calls()
        == calls{"audit job-started", "claim", "start harmony-job-once.service", "audit job-ended",
                 "claim", "discard harmony-job-once.service"});
  CHECK(d.converged(want));
  CHECK(
    d.state(want)
    == job_state{"", 0, "", "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:22.000Z", "hello\n", ""});
  REQUIRE(d.audited.size() == 2);
  CHECK(d.audited[0].origin == "rollout/7");
  CHECK(d.audited[1].result == "success, exit status 0");
}

TEST_CASE("shell job apply: same desire again -> nothing; new revision or stamp -> one more run") {
  job_device d;
  auto want = job_want();
  CHECK(d.converge(want).ok());
  d.take_calls();
  CHECK(d.converge(want).ok());
  CHECK(d.take_calls().empty());
  want.revision = "sha256:2";
  CHECK(d.converge(want).ok());
  CHECK(d.manager.runs["/bin/ok"] == 2);
  want.restart_stamp = "File/conf@2";
  CHECK(d.converge(want).ok());
  CHECK(d.manager.runs["/bin/ok"] == 3);
  want.origin = "rollout/8"; // whose word it was makes no other job
  CHECK(d.converged(want));
}

TEST_CASE("shell job apply: failed run -> JobFailed, its end recorded, made again") {
  job_device d;
  d.manager.programs["/bin/bad"] = failing(3, "one\ntwo\n");
  const auto want = job_want("/bin/bad");
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::job_failed);
  CHECK_THAT(done.error().message, Contains("exit status 3; its last words: 'two'"));
  CHECK(d.state(want).exit_code == 3);
  CHECK(d.manager.units.empty());
  CHECK_FALSE(d.converged(want));
  d.manager.programs["/bin/bad"] = {};
  CHECK(d.converge(want).ok());
  CHECK(d.manager.runs["/bin/bad"] == 2);
  CHECK(d.converged(want));
}

TEST_CASE("shell job apply: guard that says yes -> no run, remembered; no -> run") {
  job_device d;
  auto want = job_want();
  want.spec.unless = {"/bin/guard"};
  SECTION("yes") {
    CHECK(d.converge(want).ok());
    CHECK(d.take_calls()
          == calls{"claim", "audit guard-started", "start harmony-job-once.unless.service",
                   "audit guard-ended", "discard harmony-job-once.unless.service",
                   "audit job-skipped", "claim"});
    CHECK(d.manager.runs["/bin/ok"] == 0);
    CHECK(d.state(want).skipped == "unless");
    CHECK(d.converge(want).ok());
    CHECK(d.manager.runs["/bin/guard"] == 1);
  }
  SECTION("no") {
    d.manager.programs["/bin/guard"] = failing(1);
    CHECK(d.converge(want).ok());
    CHECK(d.manager.runs["/bin/ok"] == 1);
    CHECK(d.state(want).skipped.empty());
  }
  SECTION("no answer") {
    d.manager.programs["/bin/guard"] = {"failed", {"signal", 2, 9, true}, "", ""};
    const auto done = d.converge(want);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ec::job_failed);
    CHECK_THAT(done.error().message, Contains("the guard 'unless': '/bin/guard' was killed"));
    CHECK(d.manager.runs["/bin/ok"] == 0);
  }
  CHECK(d.manager.units.empty());
}

TEST_CASE("shell job apply: creates -> looked at before unless, and decides") {
  job_device d;
  const temp_dir site;
  auto want = job_want();
  want.spec.creates = (site / "there").string();
  want.spec.unless = {"/bin/guard"};
  d.manager.programs["/bin/guard"] = failing(1);
  std::filesystem::create_symlink("/nowhere", site / "there"); // a link that dangles is there
  CHECK(d.converge(want).ok());
  CHECK(d.state(want).skipped == "creates");
  CHECK(d.manager.runs.empty());
  std::filesystem::remove(site / "there");
  want.revision = "sha256:2";
  CHECK(d.converge(want).ok());
  CHECK(d.manager.runs["/bin/guard"] == 1);
  CHECK(d.manager.runs["/bin/ok"] == 1);
}

TEST_CASE("shell job apply: run that does not end -> TimedOut at the deadline, then awaited") {
  job_device d;
  const auto want = job_want("/bin/hang");
  const auto done = d.converge(want, std::chrono::milliseconds{20});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::timed_out);
  CHECK(d.look(want).unit == job_unit_owner::current);
  CHECK_FALSE(d.look(want).over);
  CHECK(d.state(want).started == "2023-11-14T22:13:20.000Z");
  d.take_calls();
  CHECK_FALSE(d.converge(want, std::chrono::milliseconds{20}).ok());
  CHECK(d.take_calls().empty());
  CHECK(d.manager.runs["/bin/hang"] == 1);
}

TEST_CASE("shell job apply: new desire while the old runs -> old killed and told, new one run") {
  job_device d;
  auto want = job_want("/bin/hang");
  CHECK_FALSE(d.converge(want, std::chrono::milliseconds{5}).ok());
  d.take_calls();
  want.spec.command = {"/bin/ok"};
  want.revision = "sha256:2";
  CHECK(d.converge(want).ok());
  CHECK(d.take_calls()
        == calls{"audit job-ended", "discard harmony-job-once.service", "audit job-started",
                 "claim", "start harmony-job-once.service", "audit job-ended", "claim",
                 "discard harmony-job-once.service"});
  CHECK(d.audited[1].revision == "sha256:1");
  CHECK(d.audited[1].result == "killed: another revision is wanted");
}

TEST_CASE("shell job apply: start that cannot be audited -> no run, nothing recorded") {
  job_device d;
  d.manager.failures["audit job-started"] = {ec::disk_full, "no space"};
  const auto want = job_want();
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::disk_full);
  CHECK(d.manager.runs.empty());
  CHECK(d.owned.all().empty());
}

TEST_CASE("shell job apply: end that cannot be audited -> recorded all the same") {
  job_device d;
  d.manager.failures["audit job-ended"] = {ec::disk_full, "no space"};
  const auto want = job_want();
  CHECK(d.converge(want).ok());
  CHECK(d.converged(want));
}

TEST_CASE("shell job apply: start refused -> its reason, told; no answer -> looked for again") {
  job_device d;
  const auto want = job_want();
  SECTION("refused") {
    d.manager.failures["start " + job_service] = {ec::unit_invalid, "bad setting"};
    const auto done = d.converge(want);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ec::unit_invalid);
    CHECK(d.audited.back().result == "not started: bad setting");
    d.manager.failures.clear();
    CHECK(d.converge(want).ok());
  }
  SECTION("no answer, and it runs") {
    d.manager.after = [&](const std::string& call) {
      if (call == "start " + job_service)
        throw killed{};
    };
    CHECK_THROWS_AS(d.converge(want), killed);
    d.manager.after = [](const std::string&) {};
    CHECK(d.converge(want).ok());
    CHECK(d.manager.runs["/bin/ok"] == 1);
  }
  SECTION("no answer, and it does not run") {
    d.manager.failures["start " + job_service] = {ec::timed_out, "no answer"};
    CHECK(d.converge(want).error().code == ec::timed_out);
    d.manager.failures.clear();
    const auto done = d.converge(want);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ec::job_failed);
    CHECK_THAT(done.error().message, Contains("interrupted"));
    CHECK(d.converge(want).ok());
    CHECK(d.manager.runs["/bin/ok"] == 1);
  }
}

// Every prefix of an apply's calls, each call done or not.
TEST_CASE("shell job apply: killed between each two steps -> converges, and runs the job once") {
  const bool with_guard = GENERATE(false, true);
  const bool reboots = GENERATE(false, true);
  const bool fails_first = GENERATE(false, true);
  for (int step = 0; step < 24; ++step) {
    job_device d;
    auto want = job_want();
    if (with_guard) {
      want.spec.unless = {"/bin/guard"};
      d.manager.programs["/bin/guard"] = failing(1);
    }
    if (fails_first)
      d.manager.programs["/bin/ok"] = failing(1);
    int count = 0;
    const auto kill = [&](const std::string& /*call*/) {
      if (count++ == step)
        throw killed{};
    };
    d.manager.before = kill;
    d.manager.after = kill;
    bool was_killed = false;
    bool ran_before = false;
    try {
      static_cast<void>(d.converge(want).ok());
    } catch (const killed&) {
      was_killed = true;
    }
    d.manager.before = d.manager.after = [](const std::string&) {};
    ran_before = d.manager.runs["/bin/ok"] > 0;
    if (reboots)
      reboot(d);
    d.manager.programs["/bin/ok"] = {};
    int attempts = 0;
    while (!d.converged(want) && attempts < 4) {
      static_cast<void>(d.converge(want).ok());
      ++attempts;
    }
    CAPTURE(with_guard, reboots, fails_first, step, was_killed);
    CHECK(d.converged(want));
    CHECK(d.manager.units.empty());
    // A run whose unit is there is taken up; only a reboot or a failure makes another one.
    if (!reboots && !fails_first)
      CHECK(d.manager.runs["/bin/ok"] == 1);
    else
      CHECK(d.manager.runs["/bin/ok"] <= (ran_before ? 2 : 1));
  }
}

TEST_CASE("shell job remove: while it runs -> killed, told, output and record gone") {
  job_device d;
  const auto want = job_want("/bin/hang");
  CHECK_FALSE(d.converge(want, std::chrono::milliseconds{5}).ok());
  REQUIRE(d.remove(want).ok());
  CHECK(d.audited.back().result == "killed: it left the manifest");
  CHECK(d.manager.units.empty());
  CHECK(d.owned.all().empty());
  CHECK(std::filesystem::is_empty(d.manager.folder.path()));
}

TEST_CASE("shell job remove: killed between each two steps -> nothing is left in the end") {
  for (int step = 0; step < 8; ++step) {
    job_device d;
    const auto want = job_want("/bin/hang");
    CHECK_FALSE(d.converge(want, std::chrono::milliseconds{2}).ok());
    int count = 0;
    d.manager.before = d.manager.after = [&](const std::string&) {
      if (count++ == step)
        throw killed{};
    };
    try {
      static_cast<void>(d.remove(want).ok());
    } catch (const killed&) {
    }
    d.manager.before = d.manager.after = [](const std::string&) {};
    CHECK(d.remove(want).ok());
    CHECK(d.manager.units.empty());
    CHECK(d.owned.all().empty());
  }
}

TEST_CASE("shell job remove: unit of that name that is not the agent's -> left alone") {
  job_device d;
  const auto want = job_want();
  CHECK(d.converge(want).ok());
  d.manager.units[job_service].run = {"somebody's", "active", false, {}, {}, {}};
  CHECK(d.remove(want).ok());
  CHECK(d.manager.units.count(job_service) == 1);
  CHECK(d.owned.all().empty());
}

} // namespace harmony::test
