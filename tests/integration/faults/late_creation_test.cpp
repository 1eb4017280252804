// An agent that dies while podman makes a container, whose resource then leaves the manifest.

#include "held_podman.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

using std::chrono::seconds;

const std::string image = "localhost/harmony-late:1";

std::string container(const std::string& name, const std::string& more = {}) {
  return R"({"kind":"Container","name":")" + name + R"(","spec":{"image":")" + image
         + R"(","network":"none"})" + more + "}";
}

/// The names of all containers, of whomever.
std::string all_containers() {
  return shell("podman ps -a --format '{{.Names}}' | sort | tr '\\n' ' '");
}

/// What became of the container since a moment, by podman's own account.
std::string fate_of_late(const std::string& since) {
  return shell("podman events --stream=false --since " + since
               + " --filter container=harmony-late --format '{{.Status}}'"
                 " | grep -E '^(create|remove)$' | tr '\\n' ' '");
}

/// Containers that are none of the agent's business, by name; they go with this object.
class others {
public:
  others() {
    make("theirs", "io.harmony.agent=pi-2", "Container/theirs");
    make("plain", "plain=1", "Container/plain");
  }
  ~others() { shell("podman rm -f -t 0 -a"); }
  others(const others&) = delete;
  others& operator=(const others&) = delete;

private:
  static void make(const std::string& name, const std::string& label, const std::string& resource) {
    run_tool({"podman", "create", "--name", name, "--network", "none", "--label", label, "--label",
              "io.harmony.resource=" + resource, image});
  }
};

} // namespace

TEST_CASE("late creation: agent killed in it, the resource left -> collected, nobody else's is") {
  run_tool({"systemctl", "start", "podman.socket"});
  build_test_image(image);
  const others theirs;
  held_podman podman;
  agent_process agent{HARMONY_AGENT,
                      {"--systemd", "off", "--podman", podman.socket(), "--relist-interval", "1s"}};
  const bool others_run = GENERATE(false, true);
  const auto kept = others_run ? container("kept") : std::string{};
  agent.start();
  agent.apply(container("let-go", R"(,"onRemove":"retain")") + (others_run ? "," + kept : ""));
  REQUIRE(agent.converged());
  agent.apply(kept);
  REQUIRE(agent.converged());

  const auto begin = shell("date +%s");
  podman.hold();
  agent.apply(container("late") + (others_run ? "," + kept : ""));
  REQUIRE(podman.holds_one());
  agent.kill();
  agent.apply(kept);
  agent.start();
  // Until it has read the store it wants what it wanted last, so it may create one itself.
  REQUIRE(agent.converged());
  const std::string right =
    std::string{others_run ? "harmony-kept " : ""} + "harmony-let-go plain theirs ";
  CHECK(all_containers() == right);
  const auto before = fate_of_late(begin);
  podman.release();
  CHECK(eventually([&] { return fate_of_late(begin) == before + "create remove "; }, seconds{40}));
  CHECK(fate_of_late(begin) == before + "create remove ");
  CHECK(all_containers() == right);
  CHECK(agent.converged());
  CHECK(agent.stop() == 0);
}

} // namespace harmony::test
