// The agent's binary under a clock that is wrong and is set (libfaketime).

#include <filesystem>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

/// A program that runs the agent with a wall clock of the test's own; the monotonic one is real.
class faked_clock {
public:
  faked_clock() {
    set("1970-01-01 00:00:30");
    const auto library = shell("find /usr/lib -name libfaketimeMT.so.1 | head -n 1");
    REQUIRE_FALSE(library.empty());
    write_file(program(), "#!/bin/sh\nexport ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0"
                          "\nexport LD_PRELOAD="
                            + library + " FAKETIME_NO_CACHE=1"
                            + " FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_TIMESTAMP_FILE="
                            + (folder_ / "now").string() + "\nexec " + agent_program + " \"$@\"\n");
    fs::permissions(program(), fs::perms{0755});
  }

  /// Sets it, in one step.
  void set(const std::string& time) const {
    write_file(folder_ / "next", "@" + time + "\n");
    fs::rename(folder_ / "next", folder_ / "now");
  }

  [[nodiscard]] std::string program() const { return (folder_ / "agent").string(); }

private:
  temp_dir folder_;
};

} // namespace

TEST_CASE("time: first boot in 1970, then the clock comes, and steps by a day -> nothing stops") {
  const faked_clock clock;
  temp_dir site;
  const auto page = site / "page";
  agent_process agent{clock.program(), files_only};
  agent.start();
  agent.apply(file_json("page", page.string(), "declared"));
  REQUIRE(agent.converged());
  for (const auto* now : {"2026-11-27 12:00:00", "2026-11-28 12:00:00", "2026-11-26 12:00:00"}) {
    INFO(now);
    const auto before = resource_of(agent.status(), "File/page").attempts;
    clock.set(now);
    CHECK(agent.await_beats(10)); // a second
    CHECK(resource_of(agent.status(), "File/page").attempts == before);
    CHECK(read_file(page) == "declared");
  }
  agent.apply(file_json("page", page.string(), "newer"));
  REQUIRE(agent.converged());
  CHECK(read_file(page) == "newer");
  CHECK(resource_of(agent.status(), "File/page").last_transition
        > parse_time("2026-01-01T00:00:00Z"));
  CHECK(agent.stop() == 0);
}

} // namespace harmony::test
