// The audit log through a whole agent: what is on record, an agent that is killed, a full disk.

#include <filesystem>
#include <fstream>
#include <thread>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using namespace std::chrono_literals;

struct site {
  site() {
    fs::create_directories(root / "state");
    write_file(root / "agent.toml", "[policy]\npaths = [\"/srv/h-audit\"]\nshell-jobs = true\n");
  }
  ~site() {
    run("mountpoint -q /srv/h-audit/state && umount -l /srv/h-audit/state");
    fs::remove_all(root);
  }
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  [[nodiscard]] std::vector<std::string> flags() const {
    return {"--podman", "off", "--state-dir", state(), "--config", (root / "agent.toml").string()};
  }
  [[nodiscard]] std::string state() const { return (root / "state").string(); }
  [[nodiscard]] std::string log() const { return state() + "/audit.log"; }
  /// `harmony-agent audit ARGUMENTS` of this state folder.
  [[nodiscard]] std::string audit(const std::string& arguments, int* code = nullptr) const {
    return shell(agent_program + " --agent-id pi-1 --state-dir " + state() + " audit " + arguments,
                 code);
  }
  /// What `verify` says, once it says `text`.
  [[nodiscard]] bool shows(const std::string& text) const {
    return becomes([&] { return audit("show -n 0 -o json").find(text) != std::string::npos; });
  }

  fs::path root = "/srv/h-audit";
};

std::string job(const std::string& name, const std::string& script) {
  return R"({"kind":"ShellJob","name":")" + name
         + R"(","origin":"rollout/7","spec":{"command":["/bin/sh","-c",")" + script + R"("]}})";
}

} // namespace

TEST_CASE("audit: manifests, a job, a refusal, commands -> on record, without secrets, intact") {
  const site at;
  agent_process agent{agent_program, at.flags()};
  agent.start();
  agent.apply(job("once", "echo canary-output; : canary-script") + ","
              + file_json("no", "/etc/h-canary", "canary-content"));
  CHECK(agent.await_standing("ShellJob/once", "Ready") == "Ready");
  CHECK(agent.await_standing("File/no", "Rejected NotAllowed") == "Rejected NotAllowed");
  agent.put_desired("{ canary-document");
  const auto ctl = "HARMONY_STORE=" + agent.store_url() + " " + HARMONYCTL + " ";
  REQUIRE(run(ctl + "hold pi-1 ShellJob/once --for 1h --reason maintenance"));
  for (const auto* event :
       {R"("event":"audit-begun")", R"("event":"agent-started","subject":"pi-1")",
        R"("event":"manifest-accepted","subject":"generation 1","revision":"sha256:)",
        R"("event":"job-started","subject":"ShellJob/once")",
        R"("result":"success, exit status 0")", R"("event":"policy-refused","subject":"File/no")",
        R"("result":"agent.toml:2 policy.paths does not allow '/etc/h-canary'")",
        R"("event":"manifest-refused")", R"("event":"command-hold")"}) {
    INFO(event << "\n" << at.audit("show -n 0 -o json"));
    CHECK(at.shows(event));
  }
  int code = -1;
  CHECK_THAT(at.audit("verify", &code), Contains("intact: ") && Contains("head: "));
  CHECK(code == 0);
  CHECK_THAT(at.audit("show"), Contains("SEQ ") && Contains("job-ended") && Contains("rollout/7"));
  CHECK(at.audit("show -n 0 -o json").find("canary-") == std::string::npos);
  CHECK(agent.logged("audit {"));
  CHECK(must("stat -c %a " + at.log()) == "600");
}

TEST_CASE("audit: changed by hand -> verify names the record, exit code 1; none -> 3") {
  const site at;
  int code = -1;
  CHECK_THAT(at.audit("verify", &code), Contains("there is no audit log"));
  CHECK(code == 3);
  agent_process agent{agent_program, at.flags()};
  agent.start();
  agent.apply(job("once", "exit 0"));
  CHECK(agent.await_standing("ShellJob/once", "Ready") == "Ready");
  CHECK(at.shows("job-ended"));
  CHECK(agent.stop() == 0);
  const auto said = at.audit("verify");
  const auto anchor = said.substr(said.find("head: ") + 6);
  CHECK(
    run(agent_program + " --agent-id a audit verify --file " + at.log() + " --anchor " + anchor));
  const auto whole = read_file(at.log());
  must("sed -i '$d' " + at.log());
  CHECK_THAT(at.audit("verify --anchor " + anchor, &code), Contains("the log was cut off after"));
  CHECK(code == 1);
  write_file(at.log(), whole);
  must("sed -i 's/job-started/job-skipped/' " + at.log());
  CHECK_THAT(at.audit("verify", &code),
             Contains("broken: audit.log:") && Contains("does not stand"));
  CHECK(code == 1);
  CHECK_THAT(at.audit("verify -o json"), Contains("\"intact\": false"));
  CHECK_THAT(at.audit("verify --anchor x", &code), Contains("--anchor: expected SEQUENCE:HASH"));
  CHECK(code == 2);
}

TEST_CASE("audit: agent killed again and again while it writes -> one chain, none of it lost that "
          "was durable") {
  const site at;
  agent_process agent{agent_program, at.flags()};
  std::size_t before = 0;
  for (int round = 0; round < 10; ++round) {
    agent.start();
    std::string all;
    for (int i = 0; i < 20; ++i)
      all += (all.empty() ? "" : ",")
             + file_json("no-" + std::to_string(i),
                         "/etc/h-" + std::to_string(round) + "-" + std::to_string(i), "x");
    agent.apply(all);
    // Killed as soon as something of this round is there: in the middle of the rest.
    CHECK(becomes([&] {
      std::error_code ignored;
      return fs::exists(at.log()) && fs::file_size(at.log(), ignored) > before;
    }));
    agent.kill();
    const auto text = read_file(at.log());
    before = text.size();
    int code = -1;
    INFO(at.audit("verify", &code));
    CHECK(code == 0);
  }
  // A power loss in the middle of a line.
  fs::resize_file(at.log(), fs::file_size(at.log()) - 30);
  int code = -1;
  CHECK_THAT(at.audit("verify", &code), Contains("the last line is torn"));
  CHECK(code == 0);
  agent.start();
  CHECK(at.shows("audit-healed"));
  CHECK_THAT(at.audit("verify", &code), Contains("1 lines were torn"));
  CHECK(code == 0);
}

TEST_CASE("audit: disk full -> a condition says so, the device goes on; room -> written, no "
          "heartbeat late") {
  const site at;
  must("mount -t tmpfs -o size=8m tmpfs /srv/h-audit/state && chmod 700 /srv/h-audit/state");
  agent_process agent{agent_program, at.flags()};
  agent.start();
  agent.apply(file_json("a", "/srv/h-audit/a", "1"));
  REQUIRE(agent.converged());
  shell("dd if=/dev/zero of=/srv/h-audit/state/fill bs=4k; dd if=/dev/zero "
        "of=/srv/h-audit/state/fill2 bs=1");
  // More than what is left of the log's last block.
  auto all = file_json("a", "/srv/h-audit/a", "1") + "," + file_json("no", "/etc/h-no", "x");
  for (int i = 0; i < 40; ++i)
    all += "," + file_json("no-" + std::to_string(i), "/etc/h-no-" + std::to_string(i), "x");
  agent.apply(all);
  CHECK(agent.await_standing("File/no", "Rejected NotAllowed") == "Rejected NotAllowed");
  const auto degraded = agent.await([](const agent_status& s) {
    return condition_of(s, "AuditDegraded").status == condition_state::true_;
  });
  CHECK(condition_of(degraded, "AuditDegraded").reason == "DiskFull");
  CHECK(agent.await_beats(5));
  must("rm /srv/h-audit/state/fill /srv/h-audit/state/fill2");
  const auto mended = agent.await([](const agent_status& s) {
    const auto c = condition_of(s, "AuditDegraded");
    return c.status == condition_state::false_ && c.reason == "Durable";
  });
  CHECK(condition_of(mended, "AuditDegraded").reason == "Durable");
  CHECK(at.shows("\"event\":\"policy-refused\",\"subject\":\"File/no\""));
  int code = -1;
  INFO(at.audit("verify", &code));
  CHECK(code == 0);
  CHECK(agent.stop() == 0);
}

} // namespace harmony::test
