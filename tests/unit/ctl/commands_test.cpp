#include "apps/ctl/commands.hpp"

#include <thread>

#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;
using test::store_call;

/// A device that converged except for one container, 3 s ago.
void set_up_fleet(terminal& t) {
  REQUIRE(t.run({"apply", "-f", "-"},
                yaml_of("pi-1", {"motd"}) + "  - {kind: Container, name: app, spec: {image: x}}\n")
          == 0);
  auto s = status_of("pi-1", agent_phase::degraded, 1);
  s.resources[{"File", "motd"}] = resource_at(resource_phase::ready);
  s.resources[{"File", "motd"}].state = file_state{"sha256:0123456789abcdef0123", "0644"};
  auto failed = resource_at(resource_phase::failed, "ImageNotFound", "no image 'x'");
  failed.attempts = 3;
  failed.next_retry = std::chrono::floor<milliseconds>(noon + seconds{7});
  failed.state = container_state{};
  s.resources[{"Container", "app"}] = failed;
  s.conditions.push_back({"Ready", condition_state::false_, "ResourcesFailed", "1 of 2 failed",
                          std::chrono::floor<milliseconds>(noon)});
  report(t.at(), s);
  beat(t.at(), s);
  t.at().force(bucket::device_info, "pi-1", R"({"os":"Debian 12"})");
  t.now = noon + seconds{3};
}

TEST_CASE("apply: new, unchanged, changed -> plan and verdict, exit code 0") {
  terminal t;
  CHECK(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(t.out
        == "Agent pi-1: no manifest -> generation 1\n"
           "  + create File/a\n      spec.content: \"hi\"\n      spec.path: \"/etc/a\"\n"
           "Plan: 1 to create, 0 to update, 0 to keep, 0 to remove.\n"
           "manifest of 'pi-1' applied (generation 1)\n");
  CHECK(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(t.out == "manifest of 'pi-1' unchanged (generation 1)\n");
  CHECK(t.run({"apply", "-f", "-", "--dry-run"}, yaml_of("pi-1", {"a"}, "ho")) == 0);
  CHECK(t.out.find("spec.content: \"hi\" -> \"ho\"\n") != std::string::npos);
  CHECK(t.out.find("nothing written (dry run)\n") != std::string::npos);
  CHECK(t.run({"get", "manifest", "pi-1", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)["metadata"]["generation"] == 1);
}

TEST_CASE("apply: a bad document -> 6, every fault with its place, nothing written") {
  terminal t;
  CHECK(t.run({"apply", "-f", "-"}, "apiVersion: harmony/v1\nkind: AgentManifest\n"
                                    "metadata: {agent: pi-1}\nspec:\n  resources:\n"
                                    "  - kind: File\n    name: a\n    spec:\n"
                                    "      path: etc\n      content: 5\n")
        == 6);
  CHECK(t.err.find("<stdin>:9:7: spec.resources[0].spec.path: ") == 0);
  CHECK(t.err.find("\n<stdin>:10:7: spec.resources[0].spec.content: ") != std::string::npos);
  CHECK(t.err.find("\nerror: nothing was done: 2 faults") != std::string::npos);
  CHECK(t.at().calls(store_call::put) == 0);
  CHECK(t.run({"apply", "-f", "/nonexistent/x.yaml"}) == 1);
}

TEST_CASE("apply: one of two agents fails -> the other is applied, exit code of the failure") {
  terminal t;
  t.at().force(bucket::desired_state, "pi-1", "rubbish");
  CHECK(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"a"}) + "---\n" + yaml_of("pi-2", {"a"}))
        == 6);
  CHECK(t.err.find("--force overwrites it") != std::string::npos);
  CHECK(t.out.find("manifest of 'pi-2' applied") != std::string::npos);
}

TEST_CASE("apply --wait: converged -> 0; not in time -> 5 with the reason") {
  terminal t;
  report(t.at(), status_of("pi-1", agent_phase::converged, 1));
  CHECK(t.run({"apply", "-f", "-", "--wait=50ms"}, yaml_of("pi-1", {"a"})) == 5);
  CHECK(t.err.find("it has observed generation 1, not 2 yet") != std::string::npos);
  report(t.at(), status_of("pi-1", agent_phase::converged, 2));
  CHECK(t.run({"apply", "-f", "-", "--wait"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(t.out.find("'pi-1' converged at generation 2\n") != std::string::npos);
}

TEST_CASE("conflict: a writer that never stops -> 4") {
  terminal t;
  int n = 0;
  t.at().before(store_call::put, [&](bucket b, std::string_view key) {
    manifest m;
    m.metadata.agent = "pi-1";
    m.metadata.generation = static_cast<generation_number>(++n);
    t.at().force(b, key, write_manifest(m));
  });
  CHECK(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"a"})) == 4);
}

TEST_CASE("plan: nothing is written") {
  terminal t;
  CHECK(t.run({"plan", "-f", "-"}, yaml_of("pi-1", {"a", "b"})) == 0);
  CHECK(t.out.find("Plan: 2 to create") != std::string::npos);
  CHECK(t.run({"plan", "-f", "-", "-o", "json"}, yaml_of("pi-1", {"a"})) == 0);
  CHECK(json::parse(t.out)[0]["resources"][0]["action"] == "create");
  CHECK(t.at().calls(store_call::put) == 0);
}

TEST_CASE("get agents: a fleet -> one aligned row each") {
  terminal t;
  set_up_fleet(t);
  REQUIRE(t.run({"apply", "-f", "-"}, yaml_of("pi-2", {"a"})) == 0);
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out
        == "AGENT   PHASE      GENERATION   READY   HEARTBEAT   CHANGED\n"
           "pi-1    Degraded   1            1/2     3s ago      3s ago\n"
           "pi-2    Offline    - of 1       0/1     none seen   never\n");
  CHECK(t.run({"get", "agents", "-o", "json"}) == 0);
  const auto value = json::parse(t.out);
  CHECK(value[0]["phase"] == "Degraded");
  CHECK(value[0]["heartbeatAgeSeconds"] == 3.0);
  CHECK(value[1]["observedGeneration"] == nullptr);
}

TEST_CASE("get agents: a heartbeat older than 30 s -> Offline, with its age") {
  terminal t;
  set_up_fleet(t);
  t.now = noon + seconds{30};
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out.find("Degraded") != std::string::npos);
  t.now = noon + seconds{130};
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out.find("pi-1    Offline   1            1/2     2m10s ago   2m10s ago\n")
        != std::string::npos);
}

TEST_CASE("get agents: on a terminal -> coloured, unless NO_COLOR or --no-color") {
  terminal t;
  set_up_fleet(t);
  t.interactive = true;
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out.find("\x1b[31mDegraded\x1b[0m") != std::string::npos);
  CHECK(t.run({"get", "agents", "--no-color"}) == 0);
  CHECK(t.out.find('\x1b') == std::string::npos);
  t.variables["NO_COLOR"] = "1";
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out.find('\x1b') == std::string::npos);
}

TEST_CASE("get resources: of one agent and of all -> phase, reason, state") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"get", "resources", "pi-1"}) == 0);
  // clang-format off
  CHECK(t.out ==
    "RESOURCE        PHASE    REASON          ATTEMPTS   STATE                                     MESSAGE\n"
    "Container/app   Failed   ImageNotFound   3                                                    no image 'x'\n"
    "File/motd       Ready                    0          present, mode 0644, sha256:0123456789ab\n");
  // clang-format on
  REQUIRE(t.run({"apply", "-f", "-"}, yaml_of("pi-2", {"a"})) == 0);
  CHECK(t.run({"get", "resources"}) == 0);
  CHECK(t.out.find("AGENT   RESOURCE") == 0);
  CHECK(t.out.find("pi-2    File/a          Unreported") != std::string::npos);
}

TEST_CASE("get and describe: what is not there -> 3") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"get", "resources", "ghost"}) == 3);
  CHECK(t.err == "error: no agent 'ghost' in the store; see 'harmonyctl get agents'\n");
  CHECK(t.run({"get", "manifest", "ghost"}) == 3);
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.run({"describe", "agent", "ghost"}) == 3);
  CHECK(t.run({"describe", "resource", "pi-1", "File/ghost"}) == 3);
  CHECK(t.run({"wait", "ghost"}) == 3);
  CHECK(t.run({"delete", "ghost"}) == 3);
}

TEST_CASE("describe agent: -> everything that is known") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"describe", "agent", "pi-1"}) == 0);
  for (const auto* line : {"Agent:          pi-1\n", "Phase:          Degraded\n",
                           "Generation:     1 desired, 1 observed\n", "Heartbeat:      3s ago\n",
                           "  Ready   False    ResourcesFailed   3s ago   1 of 2 failed\n",
                           "  File/motd ", "Device:\n  os: Debian 12\n"}) {
    CAPTURE(line, t.out);
    CHECK(t.out.find(line) != std::string::npos);
  }
  CHECK(t.run({"describe", "agent", "pi-1", "-o", "json"}) == 0);
  const auto value = json::parse(t.out);
  CHECK(value["heartbeat"]["ageSeconds"] == 3.0);
  CHECK(value["status"]["phase"] == "Degraded");
  CHECK(value["device"]["os"] == "Debian 12");
}

TEST_CASE("history and rollback: -> what the store still has, applied again as a newer one") {
  terminal t;
  REQUIRE(t.run({"init"}) == 0);
  for (const char* content : {"a", "b", "c"})
    REQUIRE(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {content})) == 0);
  REQUIRE(t.run({"history", "pi-1"}) == 0);
  CHECK(t.out.find("GENERATION") == 0);
  CHECK(t.out.find("\n3 ") < t.out.find("\n2 "));
  CHECK(t.out.find("\n2 ") < t.out.find("\n1 "));
  REQUIRE(t.run({"history", "pi-1", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)[2]["generation"] == 1);

  CHECK(t.run({"rollback", "pi-1", "--to", "1", "--dry-run"}) == 0);
  CHECK(t.out.find("nothing written") != std::string::npos);
  CHECK(t.run({"rollback", "pi-1", "--to", "1"}) == 0);
  CHECK(t.out.find("applied (generation 4)") != std::string::npos);
  CHECK(t.run({"get", "manifest", "pi-1"}) == 0);
  CHECK(t.out.find("/etc/a") != std::string::npos);
  CHECK(t.run({"rollback", "pi-1"}) == 0); // the one before: generation 3
  CHECK(t.run({"get", "manifest", "pi-1"}) == 0);
  CHECK(t.out.find("/etc/c") != std::string::npos);

  CHECK(t.run({"rollback", "pi-1", "--to", "99"}) == 3);
  CHECK(t.err.find("it has 5, 4, 3, 2, 1") != std::string::npos);
  CHECK(t.run({"history", "ghost"}) == 3);
  CHECK(t.run({"rollback", "pi-1", "--to", "0"}) == 2);
}

TEST_CASE("explain: -> why, what was tried and what comes next") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"explain", "pi-1"}) == 0);
  CHECK(t.out.find("pi-1: Degraded at generation 1\n") == 0);
  CHECK(t.out.find("Container/app: Failed: ImageNotFound\n  because  no image 'x'\n")
        != std::string::npos);
  CHECK(t.out.find("  next     it is tried again in 4s") != std::string::npos);
  CHECK(t.run({"explain", "pi-1", "Container/app", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)[0]["phase"] == "Failed");
  CHECK(t.run({"explain", "pi-1", "File/ghost"}) == 3);
  CHECK(t.run({"explain", "ghost"}) == 3);
  CHECK(t.run({"explain", "pi-1", "rubbish"}) == 2);
}

TEST_CASE("describe resource: -> status, next retry and spec") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"describe", "resource", "pi-1", "Container/app"}) == 0);
  for (const auto* line :
       {"Reason:         ImageNotFound\n", "Message:        no image 'x'\n", "Attempts:       3\n",
        "Next retry:     in 4s\n", "Spec:\n  image: x\n"}) {
    CAPTURE(line, t.out);
    CHECK(t.out.find(line) != std::string::npos);
  }
  CHECK(t.run({"describe", "resource", "pi-1", "Container/app", "-o", "yaml"}) == 0);
  CHECK(t.out.find("  phase: Failed\n") != std::string::npos);
}

TEST_CASE("get manifest: -> YAML that can be applied again, unchanged") {
  terminal t;
  set_up_fleet(t);
  REQUIRE(t.run({"get", "manifest", "pi-1"}) == 0);
  const auto yaml = t.out;
  CHECK(t.run({"apply", "-f", "-"}, yaml) == 0);
  CHECK(t.out == "manifest of 'pi-1' unchanged (generation 1)\n");
}

TEST_CASE("delete: on a terminal asks, elsewhere does not; says that workloads keep running") {
  terminal t;
  set_up_fleet(t);
  t.interactive = true;
  CHECK(t.run({"delete", "pi-1"}, "n\n") == 1);
  CHECK(t.err.find("Delete the manifest of 'pi-1' (generation 1)? [y/N]") == 0);
  CHECK(t.run({"delete", "pi-1"}, "") == 1);
  CHECK(t.at().calls(store_call::remove) == 0);
  CHECK(t.run({"delete", "pi-1"}, "y\n") == 0);
  CHECK(t.out.find("workloads keep running") != std::string::npos);
  CHECK(t.run({"get", "manifest", "pi-1"}) == 3);
  // The next manifest is above what the agent has seen.
  CHECK(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"b"})) == 0);
  CHECK(t.out.find("applied (generation 2)") != std::string::npos);
  CHECK(t.run({"delete", "pi-1", "--yes"}) == 0);
}

TEST_CASE("delete: changed meanwhile -> 4, and not deleted") {
  terminal t;
  set_up_fleet(t);
  t.at().before(store_call::remove,
                [&](bucket b, std::string_view key) { t.at().force(b, key, "newer"); });
  CHECK(t.run({"delete", "pi-1"}) == 4);
  CHECK(t.err.find("was changed meanwhile and is not deleted") != std::string::npos);
}

TEST_CASE("wait: met, or not in time -> 0 or 5") {
  terminal t;
  set_up_fleet(t);
  CHECK(t.run({"wait", "pi-1", "--for=phase=Degraded"}) == 0);
  CHECK(t.out == "'pi-1' is in phase Degraded (generation 1, Degraded)\n");
  CHECK(t.run({"wait", "pi-1", "--for=generation=1", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)["observedGeneration"] == 1);
  CHECK(t.run({"wait", "pi-1", "--timeout=20ms"}) == 5);
  CHECK(t.err.find("Container/app is Failed (ImageNotFound): no image 'x'") != std::string::npos);
}

TEST_CASE("init: an unprepared store -> prepared; before that 1, with what to do") {
  terminal t{false};
  CHECK(t.run({"get", "agents"}) == 1);
  CHECK(t.err.find("harmonyctl init") != std::string::npos);
  CHECK(t.run({"init"}) == 0);
  CHECK(t.run({"init", "--store=nats://op:secret@127.0.0.1:4222"}) == 0);
  CHECK(t.out == "store 'nats://127.0.0.1:4222' is ready\n"); // without the login
  CHECK(t.run({"get", "agents"}) == 0);
  CHECK(t.out == "No agents in the store.\n");
}

TEST_CASE("store: not reachable -> 1 after --timeout, naming it") {
  terminal t;
  t.at().set_connected(false, "connection refused");
  CHECK(t.run({"get", "agents", "-s", "nats://nowhere:1", "--timeout", "20ms"}) == 1);
  CHECK(t.err.find("cannot reach the store 'nats://nowhere:1': connection refused; ")
        != std::string::npos);
  CHECK(t.opened.url == "nats://nowhere:1");
}

TEST_CASE("validate: -> what is valid, or every fault; needs no store") {
  terminal t;
  CHECK(t.run({"validate", "-f", "-"}, yaml_of("pi-1", {"a", "b"})) == 0);
  CHECK(t.out == "<stdin>: valid: manifest of 'pi-1' with 2 resources\n");
  CHECK(t.run({"validate", "-f", "-", "-o", "json"}, "a: 0644\n") == 6);
  const auto issues = json::parse(t.out);
  CHECK(issues[0]["line"] == 1);
  CHECK(issues[0]["reason"] == "InvalidDocument");
  CHECK(t.opened.url.empty());
}

TEST_CASE("schema and version: -> printed") {
  terminal t;
  CHECK(t.run({"schema", "manifest"}) == 0);
  CHECK(json::parse(t.out).contains("$schema"));
  CHECK(t.run({"schema", "status", "-o", "yaml"}) == 0);
  CHECK(t.run({"version"}) == 0);
  CHECK(t.out.find("harmonyctl ") == 0);
  CHECK(t.run({"version", "-o", "json"}) == 0);
  CHECK(json::parse(t.out)["name"] == "harmonyctl");
  CHECK(t.run({"nonsense"}) == 2);
  CHECK(t.run({"--help"}) == 0);
}

} // namespace

} // namespace harmony::ctl
