#include "core/probing.hpp"

#include <sstream>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

probe check(std::uint32_t delay = 0, std::uint32_t period = 10, std::uint32_t successes = 1,
            std::uint32_t failures = 3) {
  probe p;
  p.check = tcp_probe{"127.0.0.1", 80};
  p.initial_delay = delay;
  p.period = period;
  p.success_threshold = successes;
  p.failure_threshold = failures;
  return p;
}

std::string text(const probing_effect& e, instant now) {
  if (const auto* run = std::get_if<probe_fx::run>(&e))
    return std::string{name_of(run->which)} + "#" + std::to_string(run->number);
  if (const auto* arm = std::get_if<probe_fx::arm>(&e)) {
    std::ostringstream out;
    out << "arm+" << std::chrono::duration<double>{arm->at - now}.count() << "s";
    return out.str();
  }
  const auto& v = std::get<probe_fx::verdict>(e);
  switch (v.is) {
  case ev::verdict::ready: return "READY";
  case ev::verdict::not_ready: return "NOT READY (" + v.message + ")";
  case ev::verdict::dead: return "DEAD (" + v.message + ")";
  }
  return "?";
}

/// A probing machine with a clock; each call returns the effects.
struct prober_rig {
  std::string on(const probing_event& e) {
    auto next = step(state, e, now);
    state = std::move(next.state);
    std::string result;
    for (const auto& each : next.effects)
      result += (result.empty() ? "" : ", ") + text(each, now);
    return result;
  }
  std::string start(const probe_set& probes) { return on(probe_ev::started{probes}); }
  std::string ok(std::uint64_t n) { return on(probe_ev::result{n, probe_answer::ok, ""}); }
  std::string bad(std::uint64_t n) { return on(probe_ev::result{n, probe_answer::failed, "503"}); }
  std::string error(std::uint64_t n) {
    return on(probe_ev::result{n, probe_answer::error, "no such program"});
  }
  std::string fire() {
    now = *state.armed;
    return on(probe_ev::timer{state.timer_epoch});
  }

  probing state;
  instant now{1h};
};

TEST_CASE("probing: defaults -> those of Kubernetes") {
  const probe p;
  CHECK(p.initial_delay == 0);
  CHECK(p.period == 10);
  CHECK(p.timeout == 1);
  CHECK(p.success_threshold == 1);
  CHECK(p.failure_threshold == 3);
}

TEST_CASE("probing: no probes at all -> ready at once") {
  prober_rig m;
  CHECK(m.start({}) == "READY");
  CHECK_FALSE(m.state.armed);
}

TEST_CASE("probing: readiness -> not ready until it passes, again after three failures") {
  prober_rig m;
  CHECK(m.start({{}, check(), {}}) == "readiness#1");
  CHECK(m.ok(1) == "READY, arm+10s");
  CHECK(m.fire() == "readiness#2");
  CHECK(m.bad(2) == "arm+10s");
  m.fire();
  CHECK(m.bad(3) == "arm+10s");
  m.fire();
  CHECK(m.bad(4) == "NOT READY (readiness probe failed 3 times in a row: 503), arm+10s");
  m.fire();
  CHECK(m.bad(5) == "arm+10s"); // said once
  m.fire();
  CHECK(m.ok(6) == "READY, arm+10s");
}

TEST_CASE("probing: readiness fails before it ever passed -> said at once, so that one sees why") {
  prober_rig m;
  m.start({{}, check(), {}});
  CHECK(m.bad(1) == "NOT READY (readiness probe failed: 503), arm+10s");
  m.fire();
  CHECK(m.ok(2) == "READY, arm+10s");
}

TEST_CASE("probing: a failure between passes -> the row starts over") {
  prober_rig m;
  m.start({{}, check(0, 10, 2, 2), {}});
  CHECK(m.ok(1) == "arm+10s");
  m.fire();
  CHECK(m.bad(2) == "NOT READY (readiness probe failed: 503), arm+10s");
  m.fire();
  CHECK(m.ok(3) == "arm+10s");
  m.fire();
  CHECK(m.ok(4) == "READY, arm+10s");
  m.fire();
  CHECK(m.bad(5) == "arm+10s");
  m.fire();
  CHECK(m.ok(6) == "arm+10s");
  m.fire();
  CHECK(m.bad(7) == "arm+10s");
  m.fire();
  CHECK(m.bad(8) == "NOT READY (readiness probe failed 2 times in a row: 503), arm+10s");
}

TEST_CASE("probing: liveness only -> ready at once, dead after three failures in a row") {
  prober_rig m;
  CHECK(m.start({{}, {}, check(5)}) == "READY, arm+5s");
  CHECK(m.fire() == "liveness#1");
  for (const std::uint64_t n : {1, 2}) {
    CHECK(m.bad(n) == "arm+10s");
    m.fire();
  }
  CHECK(m.ok(3) == "arm+10s");
  m.fire();
  for (const std::uint64_t n : {4, 5}) {
    CHECK(m.bad(n) == "arm+10s");
    m.fire();
  }
  CHECK(m.bad(6) == "DEAD (liveness probe failed 3 times in a row: 503)");
  CHECK_FALSE(m.state.active);
}

TEST_CASE("probing: dead -> silent until the next start, which begins anew") {
  prober_rig m;
  const probe_set both{{}, check(), check(0, 10, 1, 1)};
  CHECK(m.start(both) == "readiness#1, liveness#2");
  m.ok(1);
  CHECK(m.bad(2) == "DEAD (liveness probe failed: 503)");
  CHECK(m.on(probe_ev::timer{m.state.timer_epoch}).empty());
  CHECK(m.bad(2).empty());
  CHECK(m.start(both) == "readiness#3, liveness#4");
  CHECK(m.bad(1).empty());
  CHECK(m.ok(3) == "READY, arm+10s"); // told anew
}

TEST_CASE("probing: startup -> gates the others, and is not asked again") {
  prober_rig m;
  CHECK(m.start({check(0, 2, 1, 30), check(), check(5)}) == "startup#1");
  CHECK(m.bad(1) == "NOT READY (startup probe failed: 503), arm+2s");
  CHECK(m.fire() == "startup#2");
  CHECK(m.ok(2) == "readiness#3, arm+3s"); // liveness: 5 s after the start
  CHECK(m.ok(3) == "READY");
  CHECK(m.fire() == "liveness#4, arm+7s");
  CHECK(m.ok(4).empty());
  CHECK(m.fire() == "readiness#5, arm+3s");
}

TEST_CASE("probing: startup without readiness -> ready when it passes") {
  prober_rig m;
  m.start({check(), {}, {}});
  CHECK(m.ok(1) == "READY");
  CHECK_FALSE(m.state.armed);
}

TEST_CASE("probing: startup fails for good -> dead") {
  prober_rig m;
  m.start({check(0, 1, 1, 3), check(), {}});
  m.bad(1);
  m.fire();
  m.bad(2);
  m.fire();
  CHECK(m.bad(3) == "DEAD (startup probe failed 3 times in a row: 503)");
}

TEST_CASE("probing: the initial delay is past when startup passes -> probed at once") {
  prober_rig m;
  m.start({check(20), check(10), check(30)});
  CHECK(m.fire() == "startup#1");
  CHECK(m.ok(1) == "readiness#2, arm+10s");
}

TEST_CASE("probing: a check that cannot be made -> changes nothing, interrupts no row") {
  prober_rig m;
  m.start({{}, check(), {}});
  CHECK(
    m.error(1)
    == "NOT READY (readiness probe could not be made: no such program), arm+10s"); // it never was
  m.fire();
  CHECK(m.ok(2) == "READY, arm+10s");
  for (const std::uint64_t n : {3, 5}) {
    m.fire();
    CHECK(m.bad(n) == "arm+10s");
    m.fire();
    CHECK(m.error(n + 1) == "arm+10s");
  }
  m.fire();
  CHECK(m.bad(7) == "NOT READY (readiness probe failed 3 times in a row: 503), arm+10s");
}

TEST_CASE("probing: a check takes time -> the period counts from its begin") {
  prober_rig m;
  m.start({{}, check(0, 10), {}});
  m.now += 3s;
  CHECK(m.ok(1) == "READY, arm+7s");
  m.fire();
  m.now += 25s;
  CHECK(m.ok(2) == "readiness#3"); // longer than a period: at once, and one at a time
}

TEST_CASE("probing: a slow check of one probe -> the other goes on") {
  prober_rig m;
  CHECK(m.start({{}, check(), check(0, 3)}) == "readiness#1, liveness#2");
  CHECK(m.ok(2) == "arm+3s");
  CHECK(m.fire() == "liveness#3");
  CHECK(m.ok(3) == "arm+3s");
}

TEST_CASE("probing: stopped -> late results and timers do nothing") {
  prober_rig m;
  m.start({{}, check(), check(4)});
  const auto timer = m.state.timer_epoch;
  CHECK(m.on(probe_ev::stopped{}).empty());
  const auto before = m.state;
  m.now += 10s;
  CHECK(m.ok(1).empty());
  CHECK(m.on(probe_ev::timer{timer}).empty());
  CHECK(m.on(probe_ev::timer{m.state.timer_epoch}).empty());
  CHECK(m.state == before);
}

TEST_CASE("probing: unknown results, replaced timers -> nothing") {
  prober_rig m;
  m.start({{}, check(), check(4)});
  const auto before = m.state;
  for (const std::uint64_t n : {0, 2, 99}) {
    CHECK(m.ok(n).empty());
    CHECK(m.on(probe_ev::timer{m.state.timer_epoch + n + 1}).empty());
  }
  CHECK(m.on(probe_ev::timer{m.state.timer_epoch - 1}).empty());
  CHECK(m.state == before);
  CHECK(m.on(probe_ev::timer{m.state.timer_epoch}) == "arm+4s"); // too early: armed again
}

} // namespace

} // namespace harmony::test
