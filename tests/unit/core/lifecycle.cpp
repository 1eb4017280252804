// Scenarios of the lifecycle machine, each told as a conversation: event, then phase and effects.

#include "core/lifecycle.hpp"

#include "support/catch.hpp"
#include "unit/core/rig.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

TEST_CASE("lifecycle: a new resource -> looked at, created, verified, ready") {
  rig m;
  CHECK(m.on(want("a")) == "Observing: observe#1");
  CHECK(m.differs() == "Applying: apply#2(update content)");
  CHECK(m.applied() == "Applying: observe#3");
  CHECK(m.equal() == "Ready");
  CHECK(m.state.revision == "sha256:a");
  CHECK(m.state.applied_revision == "sha256:a");
  CHECK(m.state.attempts == 1);
  CHECK(m.state.reason.empty());
  CHECK_FALSE(m.state.troubled());
}

TEST_CASE("lifecycle: already in place -> ready without a touch") {
  rig m;
  m.on(want("a"));
  CHECK(m.equal() == "Ready");
  CHECK(m.state.attempts == 0);
}

TEST_CASE("lifecycle: a new desire of a ready resource -> looked at and updated at once") {
  auto m = ready_rig();
  CHECK(m.on(want("b")) == "Observing: observe#4");
  CHECK(m.state.applied_revision == "sha256:a");
  CHECK(m.differs() == "Applying: apply#5(update content)");
  CHECK(m.applied() == "Applying: observe#6");
  CHECK(m.equal() == "Ready");
  CHECK(m.state.applied_revision == "sha256:b");
  CHECK(m.state.attempts == 1);
}

TEST_CASE("lifecycle: the same desire again -> nothing") {
  auto m = ready_rig();
  const auto before = m.state;
  CHECK(m.on(want("a")) == "Ready");
  CHECK(m.effects.empty());
  CHECK(m.state == before);
}

TEST_CASE("lifecycle: drift -> repaired at once, those soon after with backoff") {
  auto m = ready_rig();
  CHECK(m.on(ev::hint{}) == "Ready: observe#4");
  CHECK(m.differs("mode") == "Applying: apply#5(update mode)");
  CHECK(m.state.reason == "Drifted");
  CHECK(m.state.message == "mode");
  m.applied();
  CHECK(m.equal() == "Ready");
  CHECK(m.state.reason.empty());

  for (const auto delay : {1s, 2s, 4s, 8s}) {
    m.wait(500ms).on(ev::hint{});
    CHECK(m.differs() == "Drifted: arm+" + std::to_string(delay.count()) + "s");
    m.fire();
    CHECK(m.state.running == operation_kind::observe);
    m.differs();
    CHECK(m.state.running == operation_kind::apply);
    m.applied();
    CHECK(m.equal() == "Ready");
  }
}

TEST_CASE("lifecycle: drift that heals by itself before the repair is due -> ready, no apply") {
  auto m = ready_rig();
  m.on(ev::hint{});
  m.differs();
  m.applied();
  m.equal();
  m.on(ev::hint{});
  REQUIRE(m.differs() == "Drifted: arm+1s");
  CHECK(m.fire() == "Drifted: observe#8");
  CHECK(m.equal() == "Ready");
}

TEST_CASE("lifecycle: drift after ten healthy minutes -> repaired at once again") {
  auto m = ready_rig();
  for (int i = 0; i < 3; ++i) {
    m.wait(10min).on(ev::hint{});
    INFO("drift " << i);
    CHECK(m.differs().substr(0, 15) == "Applying: apply");
    m.applied();
    CHECK(m.equal() == "Ready");
  }
  m.wait(10min - 1ns).on(ev::hint{});
  CHECK(m.differs() == "Drifted: arm+1s");
}

TEST_CASE("lifecycle: apply keeps failing -> retried after 1, 2, 4 ... 300 s, for ever") {
  rig m;
  m.on(want("a"));
  for (const auto delay : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}) {
    REQUIRE(m.differs().substr(0, 15) == "Applying: apply");
    CHECK(m.apply_failed() == "Failed: arm+" + std::to_string(delay) + "s");
    CHECK(m.state.reason == "DiskFull");
    CHECK(m.state.message == "no space");
    CHECK(m.state.troubled());
    CHECK(m.fire().substr(0, 15) == "Failed: observe");
  }
  CHECK(m.state.attempts == 12);
  m.differs();
  m.applied();
  CHECK(m.equal() == "Ready");
  CHECK_FALSE(m.state.troubled());
}

TEST_CASE("lifecycle: ten healthy minutes after trouble -> the backoff starts over") {
  rig m;
  m.on(want("a"));
  for (int i = 0; i < 5; ++i) {
    m.differs();
    m.apply_failed();
    m.fire();
  }
  REQUIRE(m.equal() == "Ready");

  SECTION("at a drift") {
    m.wait(10min).on(ev::hint{});
    CHECK(m.differs().substr(0, 15) == "Applying: apply");
  }
  SECTION("at an obstacle") {
    m.wait(10min).on(ev::hint{});
    CHECK(m.conflict() == "Failed: arm+1s");
  }
  SECTION("at a look that fails") {
    m.wait(10min).on(ev::hint{});
    CHECK(m.unseen(ec::permission_denied) == "Failed: arm+1s");
  }
  SECTION("sooner it goes on") {
    m.wait(9min).on(ev::hint{});
    CHECK(m.conflict() == "Failed: arm+32s");
  }
}

TEST_CASE(
  "lifecycle: hints while it is not well -> no attempts, so a later drift is repaired soon") {
  rig r;
  r.on(want("a"));
  r.differs();
  r.applied();
  CHECK(r.conflict() == "Failed: arm+1s");
  for (int i = 0; i < 10; ++i) {
    CHECK(r.wait(10ms).on(ev::hint{}) == "Failed: observe#" + std::to_string(4 + i));
    CHECK(r.conflict() == "Failed");
  }
  r.on(ev::hint{});
  CHECK(r.equal() == "Ready");
  r.wait(1s).on(ev::hint{});
  CHECK(r.differs() == "Drifted: arm+1s"); // without hints, too
}

TEST_CASE("lifecycle: a failed apply -> no hint makes the next one earlier") {
  rig m;
  m.on(want("a"));
  m.differs();
  REQUIRE(m.apply_failed() == "Failed: arm+1s");
  CHECK(m.wait(300ms).on(ev::hint{}) == "Failed: observe#3");
  CHECK(m.differs() == "Failed"); // the timer stays armed
  CHECK(m.armed() == 700ms);
  CHECK(m.fire() == "Failed: observe#4");
  CHECK(m.differs() == "Applying: apply#5(update content)");
}

TEST_CASE(
  "lifecycle: an apply that leads to a failing look -> no hint makes the next one earlier") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.applied();
  SECTION("the look fails") {
    CHECK(m.unseen() == "Failed: arm+1s");
  }
  SECTION("the look finds an obstacle") {
    CHECK(m.conflict() == "Failed: arm+1s");
  }
  SECTION("it still differs") {
    CHECK(m.differs() == "Failed: arm+1s");
  }
  CHECK(m.on(ev::hint{}) == "Failed: observe#4");
  CHECK(m.differs() == "Failed");
  CHECK(m.armed() == 1s);
}

TEST_CASE("lifecycle: a change that does not take -> failed with NotConverged, retried") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.applied();
  CHECK(m.differs("mode") == "Failed: arm+1s");
  CHECK(m.state.reason == "NotConverged");
  CHECK(m.state.message == "after the change it still differs: mode");
  CHECK(m.fire() == "Failed: observe#4");
  CHECK(m.differs("mode") == "Applying: apply#5(update mode)");
}

TEST_CASE("lifecycle: what was started has ended -> failed with the look's reason, a crash") {
  rig m;
  m.on(want("a"));
  for (int times = 1; times <= 3; ++times) {
    if (times > 1)
      m.fire();
    m.differs("state");
    m.applied();
    m.on(ev::observed{m.state.operation,
                      {{action::restart, "state", "exited", "running"}},
                      {},
                      failure{ec::container_exited, "exited with code 1"}});
    CHECK(m.state.phase == resource_phase::failed);
    CHECK(m.state.reason == (times < 3 ? "ContainerExited" : "CrashLoopBackOff"));
    CHECK_THAT(m.state.message, Catch::Matchers::EndsWith("exited with code 1"));
  }
}

TEST_CASE("lifecycle: a dependency is not ready -> blocked, then on its way") {
  rig m;
  CHECK(m.on(want("a", "", "File/x")) == "Blocked");
  CHECK(m.state.reason == "DependencyNotReady");
  CHECK(m.state.message == "waits for File/x");
  CHECK(m.on(ev::hint{}) == "Blocked");
  CHECK(m.on(needs("File/y")) == "Blocked");
  CHECK(m.state.message == "waits for File/y");
  CHECK(m.on(needs("")) == "Observing: observe#1");
}

TEST_CASE("lifecycle: a dependency is lost before the first apply -> blocked instead of applied") {
  rig m;
  m.on(want("a"));
  SECTION("during the look") {
    CHECK(m.on(needs("File/x")) == "Observing");
    CHECK(m.differs() == "Blocked");
    CHECK(m.on(needs("")) == "Observing: observe#2");
  }
  SECTION("while it waits for its retry") {
    m.differs();
    m.apply_failed();
    m.on(needs("File/x"));
    SECTION("the timer fires") {
      CHECK(m.fire() == "Blocked");
    }
    SECTION("a hint comes") {
      m.wait(5s).on(ev::hint{});
      CHECK(m.differs() == "Blocked");
    }
    CHECK(m.state.message == "waits for File/x");
  }
}

TEST_CASE("lifecycle: unblocked within the backoff -> a look at once, the apply when it is due") {
  rig m;
  m.on(want("a"));
  for (int i = 0; i < 4; ++i) {
    m.differs();
    m.apply_failed();
    m.fire();
  }
  m.differs();
  m.on(needs("File/x"));
  REQUIRE(m.apply_failed() == "Failed: arm+16s");
  m.wait(1s).on(ev::hint{});
  REQUIRE(m.differs() == "Blocked");
  CHECK(m.on(needs("")).substr(0, 19) == "Observing: observe#");
  CHECK(m.differs() == "Observing: arm+15s");
  SECTION("its timer leads on") {
    m.fire();
    CHECK(m.differs().substr(0, 15) == "Applying: apply");
  }
  SECTION("a hint is heard") {
    CHECK(m.on(ev::hint{}).substr(0, 19) == "Observing: observe#");
    CHECK(m.equal() == "Ready");
  }
}

TEST_CASE("lifecycle: a dependency is lost once it was in place -> it is still repaired") {
  auto m = ready_rig();
  CHECK(m.on(needs("File/x")) == "Ready");
  m.on(ev::hint{});
  CHECK(m.differs().substr(0, 15) == "Applying: apply");
}

TEST_CASE("lifecycle: a newer desire during an apply -> cancel, wait for its answer, look") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(want("b")) == "Pending: cancel#2");
  CHECK(m.on(want("c")) == "Pending"); // canceled once
  SECTION("it was canceled") {
    CHECK(m.on(ev::apply_failed{2, {ec::canceled, "canceled"}}) == "Observing: observe#3");
  }
  SECTION("it was quicker") {
    CHECK(m.on(ev::applied{2}) == "Observing: observe#3");
  }
  CHECK(m.state.desire == "c");
  CHECK(m.state.failures == 0);
  CHECK(m.differs() == "Applying: apply#4(update content)");
}

TEST_CASE("lifecycle: back to the first desire while its apply is canceled -> a new look decides") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.on(want("b"));
  CHECK(m.on(want("a")) == "Pending");
  CHECK(m.applied() == "Observing: observe#3");
  CHECK(m.equal() == "Ready");
  CHECK(m.state.applied_revision == "sha256:a");
}

TEST_CASE("lifecycle: a newer desire during a look -> the old look's answer is not believed") {
  rig m;
  m.on(want("a"));
  CHECK(m.on(want("b")) == "Pending: cancel#1");
  CHECK(m.on(ev::observed{1, {}, {}}) == "Observing: observe#2");
  CHECK(m.state.applied_revision.empty());
}

TEST_CASE("lifecycle: a newer desire that must wait, during an apply -> blocked after its answer") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(want("b", "", "File/x")) == "Pending: cancel#2");
  CHECK(m.on(needs("File/y")) == "Pending");
  CHECK(m.applied() == "Blocked");
  CHECK(m.state.message == "waits for File/y");
}

TEST_CASE("lifecycle: a newer desire of a failed resource -> tried at once, with a clean record") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.apply_failed();
  const auto old_timer = m.state.timer_epoch;
  CHECK(m.on(want("b")) == "Observing: observe#3");
  CHECK_FALSE(m.state.troubled());
  m.wait(1s);
  CHECK(m.on(ev::timer{old_timer}) == "Observing");
  CHECK(m.differs() == "Applying: apply#4(update content)");
  CHECK(m.apply_failed() == "Failed: arm+1s");
}

TEST_CASE("lifecycle: stale answers and stale timers -> nothing") {
  auto m = ready_rig();
  m.on(ev::hint{});
  m.differs();
  m.applied();
  m.equal();
  m.on(ev::hint{});
  REQUIRE(m.differs() == "Drifted: arm+1s");
  const auto before = m.state;
  const failure why{ec::io_error, "late"};
  for (std::uint64_t n = 0; n <= m.state.operation + 1; ++n)
    for (const lifecycle_event& late : std::vector<lifecycle_event>{
           ev::observed{n, {}, {}}, ev::observe_failed{n, why}, ev::applied{n},
           ev::apply_failed{n, why}, ev::removed{n}, ev::remove_failed{n, why}}) {
      m.on(late);
      CHECK(m.state == before);
      CHECK(m.effects.empty());
    }
  for (std::uint64_t n = 0; n < m.state.timer_epoch; ++n) {
    m.on(ev::timer{n});
    CHECK(m.state == before);
  }
  m.fire();
  const auto fired = m.state;
  m.on(ev::timer{m.state.timer_epoch}); // the same timer twice
  CHECK(m.state == fired);
}

TEST_CASE("lifecycle: an answer of the wrong kind with the right number -> nothing") {
  rig m;
  m.on(want("a"));
  const auto before = m.state;
  m.on(ev::applied{1});
  CHECK(m.state == before);
  m.on(ev::removed{1});
  CHECK(m.state == before);
}

} // namespace

} // namespace harmony::test
