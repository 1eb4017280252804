// Scenarios of the lifecycle machine: leaving, refusals, lost sight, obstacles, probes.

#include "core/lifecycle.hpp"

#include "support/catch.hpp"
#include "unit/core/rig.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

TEST_CASE("lifecycle: removal of a ready resource -> removing, removed, and silent ever after") {
  auto m = ready_rig();
  CHECK(m.on(ev::remove{}) == "Removing: remove#4");
  CHECK(m.on(ev::removed{4}) == "Removed");
  const auto end = m.state;
  CHECK(m.on(want("b")) == "Removed");
  CHECK(m.on(ev::hint{}) == "Removed");
  CHECK(m.on(ev::remove{}) == "Removed");
  CHECK(m.on(ev::rejected{{ec::invalid_spec, "no"}}) == "Removed");
  CHECK(m.state == end);
}

TEST_CASE("lifecycle: removal during an apply -> cancel, wait for its answer, then remove") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(ev::remove{}) == "Removing: cancel#2");
  CHECK(m.on(ev::remove{}) == "Removing");
  CHECK(m.applied() == "Removing: remove#3");
  CHECK(m.on(ev::removed{3}) == "Removed");
}

TEST_CASE("lifecycle: a removal -> no desire, hint or refusal turns it back") {
  auto m = ready_rig();
  m.on(ev::remove{});
  const auto before = m.state;
  CHECK(m.on(want("b")) == "Removing");
  CHECK(m.on(ev::hint{}) == "Removing");
  CHECK(m.on(ev::rejected{{ec::invalid_spec, "no"}}) == "Removing");
  CHECK(m.state == before);
}

TEST_CASE("lifecycle: a removal fails -> retried with backoff") {
  auto m = ready_rig();
  m.on(ev::remove{});
  for (const auto delay : {1, 2, 4, 8}) {
    CHECK(m.on(ev::remove_failed{m.state.operation, {ec::io_error, "busy"}})
          == "Removing: arm+" + std::to_string(delay) + "s");
    CHECK(m.state.reason == "IoError");
    CHECK(m.state.message == "busy");
    CHECK(m.fire().substr(0, 17) == "Removing: remove#");
  }
  CHECK(m.on(ev::removed{m.state.operation}) == "Removed");
  CHECK(m.state.reason.empty());
  CHECK_FALSE(m.state.next_retry);
}

TEST_CASE("lifecycle: removal of what was never seen -> removed all the same") {
  rig m;
  CHECK(m.on(ev::remove{}) == "Removing: remove#1");
  CHECK(m.on(ev::removed{1}) == "Removed");
}

TEST_CASE("lifecycle: rejected -> left alone until it is desired again") {
  auto m = ready_rig();
  CHECK(m.on(ev::rejected{{ec::invalid_spec, "mode: no"}}) == "Rejected");
  CHECK(m.state.reason == "InvalidSpec");
  CHECK(m.state.message == "mode: no");
  CHECK(m.state.troubled());
  CHECK(m.on(ev::hint{}) == "Rejected");
  CHECK(m.on(needs("File/x")) == "Rejected");
  CHECK(m.on(needs("")) == "Rejected");
  SECTION("the same desire as before is a new one") {
    CHECK(m.on(want("a")) == "Observing: observe#4");
    CHECK_FALSE(m.state.troubled());
  }
  SECTION("it may be removed") {
    CHECK(m.on(ev::remove{}) == "Removing: remove#4");
  }
}

TEST_CASE("lifecycle: rejected during an apply -> cancel, and nothing after its answer") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(ev::rejected{{ec::not_allowed, "no"}}) == "Rejected: cancel#2");
  SECTION("then its answer") {
    CHECK(m.applied() == "Rejected");
    CHECK(m.effects.empty());
  }
  SECTION("desired again before its answer") {
    CHECK(m.on(want("a")) == "Pending");
    CHECK(m.applied() == "Observing: observe#3");
  }
}

TEST_CASE("lifecycle: a hint during a look -> another look after it") {
  auto m = ready_rig();
  m.on(ev::hint{});
  CHECK(m.on(ev::hint{}) == "Ready");
  CHECK(m.on(ev::hint{}) == "Ready");
  CHECK(m.equal() == "Ready: observe#5");
  CHECK(m.equal() == "Ready");
  CHECK(m.effects.empty());
}

TEST_CASE("lifecycle: a hint during the look after an apply -> another look after it") {
  rig m;
  m.on(want("a"));
  m.differs();
  m.applied();
  m.on(ev::hint{});
  CHECK(m.equal() == "Ready: observe#4");
  CHECK(m.differs() == "Applying: apply#5(update content)");
}

TEST_CASE("lifecycle: a hint during an apply -> the look after it serves") {
  rig m;
  m.on(want("a"));
  m.differs();
  CHECK(m.on(ev::hint{}) == "Applying");
  CHECK(m.applied() == "Applying: observe#3");
  CHECK(m.equal() == "Ready");
}

TEST_CASE("lifecycle: three looks in a row fail -> the record stands, until the third") {
  auto m = ready_rig();
  m.on(ev::hint{});
  CHECK(m.unseen() == "Ready: arm+1s");
  CHECK(m.state.reason == "RuntimeUnavailable");
  CHECK(m.fire() == "Ready: observe#5");
  CHECK(m.unseen() == "Ready: arm+2s");
  CHECK(m.fire() == "Ready: observe#6");
  SECTION("the third fails too") {
    CHECK(m.unseen() == "Failed: arm+1s");
    CHECK(m.state.troubled());
    CHECK(m.fire() == "Failed: observe#7");
    CHECK(m.equal() == "Ready");
  }
  SECTION("the third sees it") {
    CHECK(m.equal() == "Ready");
    CHECK(m.state.reason.empty());
    CHECK_FALSE(m.state.next_retry);
    m.on(ev::hint{});
    CHECK(m.unseen() == "Ready: arm+1s");
  }
}

TEST_CASE("lifecycle: a look that fails for good reason -> failed at once") {
  auto m = ready_rig();
  m.on(ev::hint{});
  CHECK(m.unseen(ec::permission_denied) == "Failed: arm+1s");
  CHECK(m.state.reason == "PermissionDenied");
}

TEST_CASE("lifecycle: a failed look between repairs -> the repairs are still spaced") {
  auto m = ready_rig();
  m.on(ev::hint{});
  m.differs();
  m.applied();
  m.equal();
  m.on(ev::hint{});
  REQUIRE(m.unseen(ec::permission_denied) == "Failed: arm+2s");
  CHECK(m.on(ev::hint{}) == "Failed: observe#8");
  CHECK(m.differs() == "Failed: arm+1s");
}

TEST_CASE("lifecycle: new probes while sight is lost -> the look is still retried") {
  auto m = ready_rig();
  m.on(ev::hint{});
  REQUIRE(m.unseen() == "Ready: arm+1s");
  CHECK(m.on(want("a", "p")) == "Probing: start probes");
  REQUIRE(m.state.next_retry);
  CHECK(m.armed() == 1s);
  CHECK(m.fire() == "Probing: observe#5");
}

TEST_CASE("lifecycle: sight lost while not ready -> the probes' reason stands") {
  auto m = ready_rig("p");
  m.on(ev::probed{ev::verdict::not_ready, "503"});
  m.on(ev::hint{});
  CHECK(m.unseen() == "Probing: arm+1s");
  CHECK(m.state.reason == "ProbeFailed");
  m.fire();
  CHECK(m.equal() == "Probing");
  CHECK(m.state.reason == "ProbeFailed");
  CHECK(m.state.message == "503");
}

TEST_CASE("lifecycle: something foreign in the way -> failed, retried, and healed by a hint") {
  rig m;
  m.on(want("a"));
  CHECK(m.conflict() == "Failed: arm+1s");
  CHECK(m.state.reason == "NameConflict");
  CHECK(m.state.message == "in the way");
  CHECK(m.state.attempts == 0);
  SECTION("retried with backoff") {
    CHECK(m.fire() == "Failed: observe#2");
    CHECK(m.conflict() == "Failed: arm+2s");
    CHECK(m.fire() == "Failed: observe#3");
    CHECK(m.conflict() == "Failed: arm+4s");
  }
  SECTION("gone: a hint is enough") {
    CHECK(m.on(ev::hint{}) == "Failed: observe#2");
    CHECK(m.differs() == "Applying: apply#3(update content)");
    m.applied();
    CHECK(m.equal() == "Ready");
  }
}

TEST_CASE("lifecycle: probes -> ready only after they pass") {
  rig m;
  m.on(want("a", "p"));
  m.differs();
  m.applied();
  CHECK(m.equal() == "Probing: start probes");
  CHECK(m.state.applied_revision == "sha256:a");
  CHECK(m.on(ev::probed{ev::verdict::ready, ""}) == "Ready");
  CHECK(m.on(ev::probed{ev::verdict::not_ready, "503"}) == "Probing");
  CHECK(m.state.reason == "ProbeFailed");
  CHECK(m.state.message == "503");
  CHECK(m.on(ev::probed{ev::verdict::ready, ""}) == "Ready");
  CHECK(m.state.reason.empty());
  m.on(ev::hint{});
  CHECK(m.equal() == "Ready"); // looks do not ask for the verdict again
}

TEST_CASE("lifecycle: a verdict without probes running -> nothing") {
  auto m = ready_rig();
  const auto before = m.state;
  for (const auto v : {ev::verdict::ready, ev::verdict::not_ready, ev::verdict::dead}) {
    m.on(ev::probed{v, "late"});
    CHECK(m.state == before);
  }
}

TEST_CASE("lifecycle: found dead -> restarted at once, later with backoff") {
  auto m = ready_rig("p");
  CHECK(m.on(ev::probed{ev::verdict::dead, "hangs"})
        == "Applying: stop probes, apply#4(restart restart)");
  CHECK(m.state.reason == "ProbeFailed");
  CHECK(m.state.message == "hangs");
  CHECK(m.applied() == "Applying: observe#5");
  CHECK(m.equal() == "Probing: start probes");
  CHECK(m.on(ev::probed{ev::verdict::dead, "hangs"}) == "Drifted: stop probes, arm+1s");
  CHECK(m.fire() == "Drifted: observe#6");
  CHECK(m.equal() == "Applying: apply#7(restart restart)");
}

TEST_CASE("lifecycle: found dead during a look -> restarted with what else differs") {
  auto m = ready_rig("p");
  m.on(ev::hint{});
  CHECK(m.on(ev::probed{ev::verdict::dead, "hangs"}) == "Drifted: stop probes");
  CHECK(m.differs() == "Applying: apply#5(update content, restart restart)");
}

TEST_CASE("lifecycle: a restart that fails -> still due until one succeeds") {
  auto m = ready_rig("p");
  m.on(ev::probed{ev::verdict::dead, "hangs"});
  CHECK(m.apply_failed(ec::unit_failed) == "Failed: arm+2s");
  m.fire();
  CHECK(m.equal() == "Applying: apply#6(restart restart)");
  CHECK(m.apply_failed(ec::unit_failed) == "Failed: arm+4s");
  m.on(ev::hint{});
  CHECK(m.equal() == "Failed"); // the timer stays armed
  m.fire();
  CHECK(m.equal() == "Applying: apply#9(restart restart)");
  m.applied();
  CHECK(m.equal() == "Probing: start probes");
  m.on(ev::probed{ev::verdict::ready, ""});
  m.on(ev::hint{});
  CHECK(m.equal() == "Ready");
}

TEST_CASE("lifecycle: a new desire after a death -> no restart is left over") {
  auto m = ready_rig("p");
  m.on(ev::probed{ev::verdict::dead, "hangs"});
  m.apply_failed();
  m.on(want("b", "p"));
  CHECK(m.equal() == "Probing: start probes");
}

TEST_CASE("lifecycle: probes change on a ready resource -> probed anew, nothing applied") {
  auto m = ready_rig("p");
  CHECK(m.on(want("a", "q")) == "Probing: stop probes, start probes");
  CHECK(m.on(want("a", "")) == "Ready: stop probes");
  CHECK(m.on(want("a", "p")) == "Probing: start probes");
}

TEST_CASE("lifecycle: a drift with probes -> stopped for the repair, started after it") {
  auto m = ready_rig("p");
  m.on(ev::hint{});
  CHECK(m.differs() == "Applying: stop probes, apply#5(update content)");
  m.applied();
  CHECK(m.equal() == "Probing: start probes");
}

TEST_CASE("lifecycle: a step that shows something new -> publishes once, last") {
  rig m;
  m.on(want("a"));
  REQUIRE(m.effects.size() == 2);
  CHECK(std::holds_alternative<fx::publish>(m.effects.back()));
  m.equal();
  m.on(ev::hint{});
  REQUIRE(m.effects.size() == 1);
  CHECK(m.effects.front() == lifecycle_effect{fx::observe{2}});
  m.equal();
  CHECK(m.effects.empty());
}

} // namespace

} // namespace harmony::test
