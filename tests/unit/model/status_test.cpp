#include "model/status.hpp"

#include "support/catch.hpp"

namespace harmony {

namespace {

agent_status full_status() {
  const auto time = *parse_time("2026-01-31T12:00:00.5Z");
  agent_status s{"pi-0042", "0123456789abcdef", 311, 7, agent_phase::degraded, {}, {}};
  s.conditions = {{"Ready", condition_state::false_, "SomeFailed", "1 of 6 failed", time},
                  {"StoreConnected", condition_state::unknown, "", "", time}};
  s.resources[{"File", "motd"}] = {"sha256:a", "sha256:a", resource_phase::ready, "", "", {}, 1,
                                   "class/base", file_state{"sha256:b", "0644"}};
  s.resources[{"Directory", "d"}] = {"sha256:a", "", resource_phase::blocked, "", "", {}, 0, "",
                                     directory_state{true, "0755"}};
  s.resources[{"SystemdUnit", "web"}] = {
    "sha256:c", "sha256:c", resource_phase::failed, "UnitFailed", "exit status 1",     time,
    3,          "",         unit_status{"failed", "failed", 3, "enabled"}};
  auto& app = s.resources[{"Container", "app"}];
  app.phase = resource_phase::probing;
  app.state = container_state{"id1", "img1", container_running{"2026-01-31T12:00:00Z", 2}};
  auto& job = s.resources[{"Container", "job"}];
  job.state = container_state{"id2", "img2", container_terminated{-1, "2026-01-31T12:00:00Z", 1}};
  auto& next = s.resources[{"Container", "next"}];
  next.state = container_state{"", "", container_waiting{"absent"}};
  s.resources[{"Package", "curl"}].phase = resource_phase::rejected;
  return s;
}

TEST_CASE("status: every kind of state -> reads back the same") {
  const auto s = full_status();
  const auto again = read_status(write_status(s));
  REQUIRE(again.ok());
  CHECK(*again == s);
}

} // namespace

} // namespace harmony
