// Holds and restarts that operators ask for.

#include "support/catch.hpp"
#include "unit/core/rig.hpp"

namespace harmony::test {

using namespace std::chrono_literals;

namespace {

std::string hold(rig& m, duration d) {
  return m.on(ev::held{m.context.now + d, "held: maintenance"});
}

} // namespace

TEST_CASE("lifecycle: held, then drifts -> seen, told, repaired when the hold ends") {
  auto m = ready_rig();
  CHECK(hold(m, 60s) == "Ready");
  m.on(ev::hint{});
  CHECK(m.differs() == "Drifted: arm+60s");
  CHECK(m.state.reason == "Held");
  CHECK(m.state.message == "held: maintenance");
  m.fire();
  CHECK(m.differs() == "Applying: apply#6(update content)");
}

TEST_CASE("lifecycle: held, then fails its look -> the failure is told, not the hold") {
  rig m;
  hold(m, 60s);
  m.on(want("a"));
  m.conflict();
  CHECK(m.state.reason == "NameConflict");
}

TEST_CASE("lifecycle: held, then leaves -> removed only when released") {
  auto m = ready_rig();
  hold(m, 1h);
  CHECK(m.on(ev::remove{}) == "Removing: arm+3600s");
  CHECK(m.state.reason == "Held");
  CHECK(m.on(ev::held{}).rfind("Removing: remove#", 0) == 0);
}

TEST_CASE("lifecycle: held while an apply runs -> it ends, the next one waits") {
  rig m;
  m.on(want("a"));
  m.differs();
  hold(m, 1h);
  m.apply_failed();
  m.fire();
  CHECK(m.differs().find("apply") == std::string::npos);
  CHECK(m.on(ev::held{}).find("observe") != std::string::npos);
  CHECK(m.differs().rfind("Applying: apply#", 0) == 0);
}

TEST_CASE("lifecycle: restart of what is ready -> looked at, then run again") {
  auto m = ready_rig("p");
  CHECK(m.on(ev::restart{"asked for"}) == "Drifted: stop probes, observe#4");
  CHECK(m.state.reason == "RestartRequested");
  CHECK(m.equal() == "Applying: apply#5(restart restart)");
  m.applied();
  CHECK(m.equal() == "Probing: start probes");
  CHECK(m.state.restarts == 0);
}

TEST_CASE("lifecycle: restart of what waits for its backoff -> at once, the count begins anew") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.apply_failed();
  m.fire();
  m.differs();
  m.apply_failed();
  CHECK(m.state.failures == 2);
  m.on(ev::restart{"asked for"});
  CHECK(m.differs() == "Applying: apply#6(update content, restart restart)");
  m.apply_failed();
  CHECK(m.state.failures == 1);
}

TEST_CASE("lifecycle: restart while an apply runs -> made after it") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(ev::restart{"asked for"}) == "Applying");
  m.applied();
  CHECK(m.equal() == "Applying: apply#4(restart restart)");
  m.applied();
  CHECK(m.equal() == "Ready");
}

TEST_CASE("lifecycle: restart of what is rejected or leaves -> nothing") {
  auto m = ready_rig();
  m.on(ev::rejected{{ec::invalid_spec, "no"}});
  CHECK(m.on(ev::restart{"asked for"}) == "Rejected");
  auto gone = ready_rig();
  gone.on(ev::remove{});
  CHECK(gone.on(ev::restart{"asked for"}) == "Removing");
}

} // namespace harmony::test
