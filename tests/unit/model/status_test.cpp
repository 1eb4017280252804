#include "model/status.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony {

namespace {

agent_status full_status() {
  const auto time = *parse_time("2026-01-31T12:00:00.5Z");
  agent_status s{"pi-0042", "0123456789abcdef", 311, 7, agent_phase::degraded, {}, {}};
  s.conditions = {{"Ready", condition_state::false_, "SomeFailed", "1 of 6 failed", time},
                  {"StoreConnected", condition_state::unknown, "", "", time}};
  auto& file = s.resources[{"File", "motd"}];
  file.revision = file.applied_revision = "sha256:a";
  file.phase = resource_phase::ready;
  file.attempts = 1;
  file.origin = "class/base";
  file.state = file_state{"sha256:b", "0644"};
  auto& folder = s.resources[{"Directory", "d"}];
  folder.phase = resource_phase::blocked;
  folder.state = directory_state{true, "0755"};
  auto& unit = s.resources[{"SystemdUnit", "web"}];
  unit.phase = resource_phase::failed;
  unit.reason = "UnitFailed";
  unit.message = "exit status 1";
  unit.next_retry = time;
  unit.attempts = 3;
  unit.state = unit_status{"failed", "failed", 3, "enabled"};
  auto& app = s.resources[{"Container", "app"}];
  app.phase = resource_phase::probing;
  app.state = container_state{"id1", "img1", container_running{"2026-01-31T12:00:00Z", 2}};
  s.resources[{"Container", "job"}].state =
    container_state{"id2", "img2", container_terminated{-1, "2026-01-31T12:00:00Z", 1}};
  s.resources[{"Container", "next"}].state = container_state{"", "", container_waiting{"absent"}};
  s.resources[{"Package", "curl"}].phase = resource_phase::rejected;
  s.resources[{"Package", "jq"}].state = package_status{"1.6-2.1"};
  s.resources[{"User", "web"}].state = user_state{true, 1000, {"adm", "www"}};
  s.resources[{"Network", "lan"}].state = network_status{true, true, false, 1500, {"10.0.0.2/24"}};
  s.resources[{"PostgresCluster", "db"}].state = cluster_state{"standby", "active", "lags 3 MiB"};
  s.resources[{"ShellJob", "once"}].state =
    job_state{"", 3, "", "2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", "out", "err"};
  s.resources[{"ShellJob", "skip"}].state = job_state{"creates", {}, "", "", "", "", ""};
  return s;
}

TEST_CASE("status: every kind of state -> reads back the same") {
  const auto s = full_status();
  const auto again = read_status(write_status(s));
  REQUIRE(again.ok());
  CHECK(*again == s);
}

TEST_CASE("status: written -> as the protocol has it") {
  auto s = full_status();
  const auto text = nlohmann::json::parse(write_status(s));
  CHECK(text["apiVersion"] == "harmony/v1");
  CHECK(text["kind"] == "AgentStatus");
  CHECK(text["phase"] == "Degraded");
  CHECK(text["conditions"][0]
        == nlohmann::json::parse(R"({"type":"Ready","status":"False","reason":"SomeFailed",
             "message":"1 of 6 failed","lastTransitionTime":"2026-01-31T12:00:00.500Z"})"));
  const auto& all = text["resources"];
  CHECK(all["File/motd"]
        == nlohmann::json::parse(R"({"revision":"sha256:a","appliedRevision":"sha256:a",
             "phase":"Ready","attempts":1,"origin":"class/base",
             "state":{"file":{"presentAt":"sha256:b","mode":"0644"}}})"));
  CHECK(all["SystemdUnit/web"] == nlohmann::json::parse(R"({"phase":"Failed","reason":"UnitFailed",
             "message":"exit status 1","nextRetry":"2026-01-31T12:00:00.500Z","attempts":3,
             "state":{"unit":{"active":"failed","sub":"failed","restarts":3,
                              "enabled":"enabled"}}})"));
  CHECK(all["Container/app"]["state"]
        == nlohmann::json::parse(R"({"container":{"id":"id1","image":"img1",
             "running":{"since":"2026-01-31T12:00:00Z","restarts":2}}})"));
  CHECK(all["Container/next"]["state"]
        == nlohmann::json::parse(R"({"container":{"waiting":{"reason":"absent"}}})"));
  CHECK(all["Package/curl"] == nlohmann::json::parse(R"({"phase":"Rejected"})"));
}

TEST_CASE("status: of a newer agent -> what is unknown is ignored") {
  const auto s = read_status(R"({"apiVersion":"harmony/v1","kind":"AgentStatus","agent":"a",
    "bootId":"0123456789abcdef","sequence":1,"observedGeneration":0,"phase":"Starting",
    "conditions":[{"type":"T","status":"True","lastTransitionTime":"2026-01-31T12:00:00Z","x":1}],
    "resources":{"Modem/m":{"phase":"Ready","x":{},"state":{"modem":{"y":1}}},
                 "Container/c":{"phase":"Ready","state":{"container":{"paused":{}}}}},"x":[]})");
  REQUIRE(s);
  CHECK(s->resources.at({"Modem", "m"}).state == resource_state{});
  CHECK(s->resources.at({"Container", "c"}).state == resource_state{container_state{}});
}

TEST_CASE("status: broken -> a failure that says where") {
  CHECK(read_status("{").error().code == ec::invalid_document);
  CHECK(read_status(R"({"apiVersion":"harmony/v1","kind":"AgentStatus","agent":"a",
    "bootId":"0123456789abcdef","sequence":-1,"observedGeneration":0,"phase":"Fine",
    "conditions":[],"resources":{"File":{}}})")
          .error()
        == failure{ec::invalid_document,
                   "cannot read the status: sequence: expected a whole number from 0 to "
                   "9007199254740991, got -1; and 2 more"});
}

TEST_CASE("status: message that is no UTF-8 -> still a status") {
  auto s = full_status();
  s.resources[{"File", "motd"}].message = "a\xff z";
  const auto again = read_status(write_status(s));
  REQUIRE(again);
  CHECK(again->resources.at({"File", "motd"}).message == "a\xef\xbf\xbd z");
}

TEST_CASE("status: each phase -> its name, there and back") {
  for (int i = 0; i <= static_cast<int>(resource_phase::rejected); ++i) {
    auto s = full_status();
    s.resources[{"File", "motd"}].phase = static_cast<resource_phase>(i);
    CHECK(read_status(write_status(s)).value() == s);
  }
  CHECK(name_of(resource_phase::pending) == "Pending");
  CHECK(name_of(resource_phase::rejected) == "Rejected");
  CHECK(name_of(agent_phase::starting) == "Starting");
  CHECK(name_of(agent_phase::converged) == "Converged");
  CHECK(name_of(agent_phase::rejected) == "Rejected");
}

TEST_CASE("heartbeat: written -> short, and reads back the same") {
  const heartbeat h{"0123456789abcdef", 311, 7, agent_phase::converged};
  CHECK(write_heartbeat(h) == R"({"b":"0123456789abcdef","g":7,"p":"Converged","s":311})");
  const auto again = read_heartbeat(write_heartbeat(h));
  REQUIRE(again);
  CHECK(*again == h);
}

TEST_CASE("heartbeat: the longest there can be -> below 96 bytes") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  for (const auto phase : {agent_phase::starting, agent_phase::converging, agent_phase::degraded}) {
    CHECK(write_heartbeat({"0123456789abcdef", most, most, phase}).size() < 96);
    CHECK(
      write_heartbeat({std::string(500, '\n') + std::string(500, 'f'), most, most, phase}).size()
      < 96);
  }
}

TEST_CASE("heartbeat: broken -> a failure") {
  const auto bad =
    GENERATE(as<std::string>{}, "", "{}", "[]", "\xff", R"({"b":"x","g":7,"p":"Converged","s":1})",
             R"({"b":"0123456789abcdef","g":-7,"p":"Converged","s":1})",
             R"({"b":"0123456789abcdef","g":7,"p":"Gone","s":1})");
  CHECK(read_heartbeat(bad).error().code == ec::invalid_document);
}

} // namespace

} // namespace harmony
