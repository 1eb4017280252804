// The breaker of crash loops, on a real agent that is made to crash.

#include <algorithm>

#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

const std::string program = HARMONY_AGENT;

std::string file_json(const std::filesystem::path& path) {
  return R"({"kind":"File","name":")" + path.filename().string() + R"(","spec":{"path":")"
         + path.string() + R"(","content":"1"}})";
}

std::string safe_mode_of(const agent_status& s) {
  const auto it = std::find_if(s.conditions.begin(), s.conditions.end(),
                               [](const condition& c) { return c.type == "SafeMode"; });
  if (it == s.conditions.end())
    return "absent";
  return (it->status == condition_state::true_ ? "true: " : "false: ") + it->message;
}

} // namespace

TEST_CASE("safe mode: five crashes on one manifest -> it applies nothing, says whom it suspects") {
  const temp_dir site;
  const auto state = (site / "state").string();
  agent_process agent{program, {"--podman", "off", "--systemd", "off", "--state-dir", state}};
  agent.start();
  agent.apply(file_json(site / "good"));
  REQUIRE(agent.converged());
  REQUIRE(agent.stop() == 0);
  const auto resources = file_json(site / "good") + "," + file_json(site / "bad");
  agent.apply(resources);
  const std::map<std::string, std::string> deadly{{"HARMONY_FAULT", "files.publish.before 1 kill"}};
  for (int i = 0; i < 5; ++i) {
    agent.start(deadly);
    REQUIRE(agent.ended(std::chrono::seconds{20}));
    REQUIRE(agent.ending() == 128 + 9);
  }

  agent.start(deadly); // what it would die of again
  const auto now =
    agent.await([](const agent_status& s) { return safe_mode_of(s).find("true: ") == 0; });
  CHECK(safe_mode_of(now).find("crashed 5 times in a row at generation 2") != std::string::npos);
  CHECK(safe_mode_of(now).find("suspected: File/bad,") != std::string::npos);
  CHECK(now.phase == agent_phase::degraded);
  CHECK(now.observed_generation == 2);
  CHECK(agent.standing("File/bad") == "Pending SafeMode");
  CHECK(agent.await_beats(10));
  CHECK(read_file(site / "good") == "1");
  CHECK_FALSE(std::filesystem::exists(site / "bad"));
  CHECK(shell(program + " status --state-dir " + state + " 2>&1").find("SafeMode is true for ")
        != std::string::npos);

  agent.apply(file_json(site / "good"));
  CHECK(agent.converged());
  CHECK(safe_mode_of(agent.status()) == "false: generation 3 is in force");
  CHECK(agent.standing("File/bad") == "absent");
  CHECK(agent.stop() == 0);
}

} // namespace harmony::test
