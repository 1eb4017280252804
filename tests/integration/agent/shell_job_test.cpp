// ShellJob through a whole agent: the device's permission, the audit log, an agent that is killed.

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

std::string job_json(const std::string& name, const std::string& script,
                     const std::string& more = {}) {
  return R"({"kind":"ShellJob","name":")" + name + R"(","origin":"rollout/7","spec":{"command":)"
         + R"(["/bin/sh","-c",")" + script + R"("])" + more + "}}";
}

/// A folder that jobs see and the agent's own state in it.
struct place {
  place() { std::filesystem::create_directories(root); }
  ~place() { std::filesystem::remove_all(root); }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  [[nodiscard]] std::vector<std::string> flags(bool allowed) const {
    std::vector<std::string> f{"--podman", "off", "--state-dir", (root / "state").string()};
    allow(allowed);
    f.insert(f.end(), {"--config", (root / "agent.toml").string()});
    return f;
  }
  void allow(bool jobs) const {
    write_file(root / "agent.toml",
               "[policy]\nshell-jobs = " + std::string{jobs ? "true" : "false"} + "\n");
  }
  [[nodiscard]] std::string audit() const { return read_file(root / "state" / "audit.log"); }
  /// How often `what` stands in the audit log.
  [[nodiscard]] int audited(const std::string& what) const {
    const auto text = audit();
    int n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++n;
    return n;
  }

  std::filesystem::path root = "/srv/h-agent-jobs";
};

} // namespace

TEST_CASE("agent: ShellJob where the device does not allow it -> Rejected NotAllowed, audited") {
  const place at;
  agent_process agent{agent_program, at.flags(false)};
  agent.start();
  agent.apply(
    job_json("no", "touch /srv/h-agent-jobs/ran", R"(,"user":"root","writablePaths":["/srv"])")
    + "," + file_json("other", (at.root / "other").string(), "x"));
  CHECK(agent.await_standing("ShellJob/no", "Rejected NotAllowed") == "Rejected NotAllowed");
  CHECK(agent.await_standing("File/other", "Ready") == "Ready");
  CHECK_FALSE(std::filesystem::exists(at.root / "ran"));
  CHECK(agent.status()
          .resources.at({"ShellJob", "no"})
          .message.find("agent.toml:2 policy.shell-jobs does not allow kind ShellJob")
        != std::string::npos);
  // A refusal is written beside what goes on.
  REQUIRE(becomes([&] { return std::filesystem::exists(at.root / "state" / "audit.log"); }));
  CHECK(becomes(
    [&] { return at.audited("\"event\":\"policy-refused\",\"subject\":\"ShellJob/no\"") == 1; }));
  CHECK(at.audited("\"origin\":\"rollout/7\"") == 1);
  struct stat info {};
  REQUIRE(::stat((at.root / "state" / "audit.log").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("agent: ShellJob -> Ready with its output in the status, once over restarts, audited") {
  const place at;
  agent_process agent{agent_program, at.flags(true)};
  agent.start();
  agent.apply(job_json("once", "echo hello; echo run >> /srv/h-agent-jobs/runs",
                       R"(,"user":"root","writablePaths":["/srv/h-agent-jobs"])"));
  CHECK(agent.await_standing("ShellJob/once", "Ready") == "Ready");
  const auto state = std::get<job_state>(agent.status().resources.at({"ShellJob", "once"}).state);
  CHECK(state.exit_code == 0);
  CHECK(state.standard_output == "hello\n");
  CHECK(agent.logged("audit {"));
  agent.kill();
  agent.start();
  REQUIRE(agent.await_beats(2));
  CHECK(agent.converged());
  CHECK(read_file(at.root / "runs") == "run\n");
  CHECK(at.audited("\"event\":\"job-started\"") == 1);
  CHECK(at.audited("\"event\":\"job-ended\"") == 1);
  CHECK(at.audited("echo hello") == 0); // a command line may hold a secret
}

TEST_CASE("agent: killed while a ShellJob runs -> the run is taken up and told, made once") {
  const place at;
  agent_process agent{agent_program, at.flags(true)};
  agent.start();
  agent.apply(
    job_json("long",
             "echo run >> /srv/h-agent-jobs/runs; until [ -e /srv/h-agent-jobs/go ]; do sleep "
             "0.05; done; echo late",
             R"(,"user":"root","writablePaths":["/srv/h-agent-jobs"])")
    + "," + file_json("other", (at.root / "other").string(), "x"));
  CHECK(agent.await_standing("File/other", "Ready") == "Ready");
  CHECK(agent.await_standing("ShellJob/long", "Applying") == "Applying");
  CHECK(agent.await([&](const agent_status&) { return std::filesystem::exists(at.root / "runs"); })
          .agent
        == "pi-1");
  agent.kill();
  agent.start();
  REQUIRE(agent.await_beats(2));
  write_file(at.root / "go", "");
  CHECK(agent.await_standing("ShellJob/long", "Ready") == "Ready");
  const auto state = std::get<job_state>(agent.status().resources.at({"ShellJob", "long"}).state);
  CHECK(state.standard_output == "late\n");
  CHECK(read_file(at.root / "runs") == "run\n");
  agent.apply("");
  CHECK(agent.converged());
  CHECK_FALSE(run("systemctl list-units --all --no-legend 'harmony-job-*' | grep ."));
}

TEST_CASE("agent: ShellJob that fails -> Failed JobFailed and tried again, others unmoved") {
  const place at;
  agent_process agent{agent_program, at.flags(true)};
  agent.start();
  agent.apply(job_json("bad", "echo oops >&2; exit 4") + ","
              + file_json("other", (at.root / "other").string(), "x"));
  CHECK(agent.await_standing("ShellJob/bad", "Failed JobFailed") == "Failed JobFailed");
  CHECK(agent.await_standing("File/other", "Ready") == "Ready");
  const auto now = agent.await([](const agent_status& s) {
    const auto it = s.resources.find({"ShellJob", "bad"});
    return it != s.resources.end() && it->second.attempts >= 2 && it->second.next_retry;
  });
  const auto& bad = now.resources.at({"ShellJob", "bad"});
  CHECK(bad.attempts >= 2);
  CHECK(bad.message.find("exit status 4; its last words: 'oops'") != std::string::npos);
  CHECK(std::get<job_state>(bad.state).exit_code == 4);
}

TEST_CASE("agent: permission withdrawn -> Rejected; what left the manifest is still collected") {
  const place at;
  agent_process agent{agent_program, at.flags(true)};
  agent.start();
  const auto job = job_json("was", "echo hello");
  agent.apply(job);
  CHECK(agent.await_standing("ShellJob/was", "Ready") == "Ready");
  CHECK(agent.stop() == 0);
  at.allow(false);
  agent.start();
  CHECK(agent.await_standing("ShellJob/was", "Rejected NotAllowed") == "Rejected NotAllowed");
  agent.apply(file_json("other", (at.root / "other").string(), "x"));
  CHECK(agent.converged());
  CHECK(agent.standing("ShellJob/was") == "absent");
}

} // namespace harmony::test
