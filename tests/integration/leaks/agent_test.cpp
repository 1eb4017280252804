// What the agent has lost for good when it ends in order. AddressSanitizer's leak check cannot see
// it in libraries that were not built with it; valgrind can.

#include <filesystem>
#include <optional>

#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/nats_server.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

std::string file_json(const fs::path& path, const std::string& content) {
  return R"({"kind":"File","name":")" + path.filename().string() + R"(","spec":{"path":")"
         + path.string() + R"(","content":")" + content + "\"}}";
}

/// A program that runs the agent in valgrind, whose report goes to `report`.
std::string agent_in_valgrind(const fs::path& folder, const fs::path& report) {
  const auto program = folder / "agent";
  write_file(program, "#!/bin/sh\nexec " VALGRIND
                      " --quiet --leak-check=full --show-leak-kinds=definite"
                      " --errors-for-leak-kinds=definite --error-exitcode=99 --num-callers=30"
                      " --suppressions=" SUPPRESSIONS " --log-file="
                        + report.string() + " " HARMONY_AGENT " \"$@\"\n");
  fs::permissions(program, fs::perms::owner_all);
  return program.string();
}

} // namespace

TEST_CASE("leaks: a life of the agent over either store -> nothing is lost, no memory misused") {
  const bool over_nats = GENERATE(false, true);
  CAPTURE(over_nats);
  std::optional<nats_server> server;
  if (over_nats)
    server.emplace();
  temp_dir folder;
  temp_dir site;
  const auto report = folder / "report";
  agent_process agent{agent_in_valgrind(folder / "", report),
                      {"--systemd", "off", "--podman", "off"},
                      server ? server->url() : std::string{}};
  agent.set_patience(std::chrono::seconds{120}); // valgrind is some 30 times slower
  agent.start();

  const auto page = site / "page";
  agent.apply(file_json(page, "one") + "," + file_json(site / "other", "x"));
  REQUIRE(agent.converged());
  write_file(page, "edited by hand");
  agent.await([&](const agent_status&) { return read_file(page) == "one"; });
  CHECK(read_file(page) == "one");
  if (server) {
    server->kill();
    server->start();
    REQUIRE(agent.await_beats(2)); // both are back
  }
  agent.apply(file_json(page, "two"));
  REQUIRE(agent.converged());
  CHECK_FALSE(fs::exists(site / "other"));
  agent.put_desired("rubbish");
  agent.await([](const agent_status& s) { return s.phase == agent_phase::rejected; });
  agent.reload();

  const int code = agent.stop();
  INFO(read_file(report));
  CHECK(code == 0);
}

} // namespace harmony::test
