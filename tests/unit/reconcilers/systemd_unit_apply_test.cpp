#include "systemd_unit_device.hpp"

namespace harmony::test {

TEST_CASE("systemd unit apply: new unit -> claimed, written, enabled, started; no reload") {
  unit_device d;
  const auto want = enabled(want_of(service + install));
  d.manager.before = [&](const std::string& call) {
    if (call == "claim")
      CHECK_FALSE(d.manager.file(web));
  };
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"claim", "enable", "start"});
  CHECK(d.manager.file(web) == text_of(want));
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: changed content -> reloaded, recorded, restarted") {
  unit_device d;
  REQUIRE(d.converge(want_of(service)).ok());
  d.take_calls();
  const auto want = want_of(service + "Nice=5\n");
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"claim", "reload", "claim", "restart"});
  CHECK(d.manager.units[web].running == text_of(want));
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: changed restart stamp -> recorded and restarted, nothing else") {
  unit_device d;
  auto want = want_of(service);
  REQUIRE(d.converge(want).ok());
  d.take_calls();
  want.restart_stamp = "2";
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"claim", "restart"});
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: failed unit -> forgotten, then started; no write, no claim") {
  unit_device d;
  const auto want = want_of(service);
  REQUIRE(d.converge(want).ok());
  d.take_calls();
  d.manager.units[web].active = "failed";
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"reset-failed", "start"});
}

TEST_CASE("systemd unit apply: a given up start comes before the reload -> the new content runs") {
  unit_device d;
  REQUIRE(d.converge(want_of(service)).ok());
  auto& unit = d.manager.units[web];
  unit.active = "failed";
  const auto want = want_of(service + "Nice=5\n");
  const auto comes_before = GENERATE(as<std::string>{}, "reload", "restart");
  d.manager.before = [&](const std::string& call) {
    if (call != comes_before)
      return;
    unit.running = unit.loaded;
    unit.active = "active";
    ++unit.starts;
  };
  REQUIRE(d.converge(want).ok());
  CHECK(unit.running == text_of(want));
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: an older run, whoever reloaded -> seen, and restarted once") {
  unit_device d;
  REQUIRE(d.converge(want_of(service)).ok());
  const auto want = want_of(service + "Nice=5\n");
  d.manager.failures["restart"] = {ec::runtime_unavailable, "away"};
  REQUIRE_FALSE(d.converge(want).ok());
  d.manager.failures.clear();
  REQUIRE(d.manager.reload({}).ok());
  CHECK_FALSE(d.converged(want));
  d.take_calls();
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"restart"});
  CHECK(d.manager.units[web].running == text_of(want));
  CHECK(d.converged(want));
}

TEST_CASE(
  "systemd unit apply: other [Install] -> former links go before the file that knows them") {
  unit_device d;
  REQUIRE(d.converge(enabled(want_of(service + install))).ok());
  d.take_calls();
  const auto want = enabled(want_of(service + "[Install]\nWantedBy=graphical.target\n"));
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"claim", "disable", "reload", "claim", "enable", "restart"});
  CHECK(d.manager.units[web].enabled == "[Install]\nWantedBy=graphical.target\n");
}

TEST_CASE("systemd unit apply: state inactive -> stopped; enablement not touched") {
  unit_device d;
  auto want = want_of(service);
  REQUIRE(d.converge(want).ok());
  d.take_calls();
  want.spec.state = unit_state::inactive;
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls() == calls{"stop"});
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: converged -> not one call") {
  unit_device d;
  const auto want = enabled(want_of(service + install));
  REQUIRE(d.converge(want).ok());
  d.take_calls();
  REQUIRE(d.converge(want).ok());
  CHECK(d.take_calls().empty());
}

TEST_CASE("systemd unit apply: file that came between look and apply -> NameConflict, kept") {
  unit_device d;
  const auto want = want_of(service);
  auto ctx = d.context();
  const auto seen = systemd_unit::observe(d.manager, want, ctx);
  const auto todo = systemd_unit::plan(want, *seen);
  put_unit(d, "[Service]\n");
  const auto done = systemd_unit::apply(d.manager, want, *todo, ctx);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::name_conflict);
  CHECK(d.manager.file(web) == "[Service]\n");
}

TEST_CASE("systemd unit apply: another resource's marker -> NameConflict") {
  unit_device d;
  put_unit(d, unit_marker("dev", {"SystemdUnit", "other"}) + service);
  CHECK(d.converge(want_of(service)).error().code == ec::name_conflict);
  put_unit(d, unit_marker("other", {"SystemdUnit", "web"}) + service);
  CHECK(d.converge(want_of(service)).error().code == ec::name_conflict);
}

TEST_CASE("systemd unit apply: inventory lost -> unit taken up again by its marker") {
  unit_device d;
  const auto want = want_of(service);
  REQUIRE(d.converge(want).ok());
  REQUIRE(d.inventory.release(want.id, web).ok());
  REQUIRE(d.converge(want).ok());
  CHECK(d.inventory.find(want.id, web)->created);
  CHECK(d.converged(want));
}

TEST_CASE("systemd unit apply: failures -> their code and message, then converging when healed") {
  unit_device d;
  SECTION("program not there") {
    const auto done = d.converge(want_of(service + "BROKEN\n"));
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ec::unit_failed);
    CHECK(done.error().message
          == "web.service failed: exit-code 203/EXEC; see journalctl -u web.service");
  }
  SECTION("ends at once") {
    const auto done = d.converge(want_of(service + "ONESHOT\n"));
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ec::unit_failed);
    CHECK_THAT(done.error().message, Catch::Matchers::Contains("RemainAfterExit=yes"));
  }
  SECTION("never gets ready") {
    CHECK(d.converge(want_of(service + "HANGS\n")).error().code == ec::timed_out);
  }
  SECTION("refused content") {
    CHECK(d.converge(want_of(service + "INVALID\n")).error().code == ec::unit_invalid);
  }
  SECTION("enabled without [Install]") {
    CHECK(d.converge(enabled(want_of(service))).error().code == ec::unit_invalid);
  }
  SECTION("manager away at any call") {
    const auto call = GENERATE(as<std::string>{}, "start", "enable");
    d.manager.failures[call] = {ec::runtime_unavailable, "away"};
    CHECK(d.converge(enabled(want_of(service + install))).error().code == ec::runtime_unavailable);
    d.manager.failures.clear();
  }
  SECTION("reload refused") {
    REQUIRE(d.converge(want_of(service + "Nice=1\n")).ok());
    d.manager.failures["reload"] = {ec::permission_denied, "no"};
    CHECK(d.converge(want_of(service + "Nice=2\n")).error().code == ec::permission_denied);
    d.manager.failures.clear();
  }
  const auto want = enabled(want_of(service + install));
  REQUIRE(d.converge(want).ok());
  CHECK(d.converged(want));
  CHECK(d.manager.units[web].running == text_of(want));
}

TEST_CASE("systemd unit remove: ours -> stopped, disabled, deleted, reloaded, released") {
  unit_device d;
  const auto want = enabled(want_of(service + install));
  REQUIRE(d.converge(want).ok());
  d.take_calls();
  REQUIRE(d.remove(want).ok());
  CHECK(d.take_calls() == calls{"stop", "disable", "reload", "reset-failed", "release"});
  CHECK_FALSE(d.manager.file(web));
}

TEST_CASE("systemd unit remove: not ours any more -> left alone, released") {
  unit_device d;
  const auto want = want_of(service);
  REQUIRE(d.converge(want).ok());
  SECTION("marker taken out") {
    put_unit(d, service);
  }
  SECTION("packaged one in its place") {
    std::filesystem::remove(d.manager.folder.path() / web);
    d.manager.units[web] = {};
    d.manager.units[web].elsewhere = "/lib/systemd/system/web.service";
    d.manager.units[web].active = "active";
  }
  const auto file = d.manager.file(web);
  d.take_calls();
  REQUIRE(d.remove(want).ok());
  CHECK(d.take_calls() == calls{"release"});
  CHECK(d.manager.file(web) == file);
}

TEST_CASE("systemd unit remove: unit without content -> released, nothing else") {
  unit_device d;
  d.manager.units[web].elsewhere = "/lib/systemd/system/web.service";
  auto want = want_of(service);
  want.spec.content.reset();
  want.restart_stamp = "1";
  REQUIRE(d.converge(want).ok());
  CHECK_FALSE(d.inventory.find(want.id, web)->created);
  d.take_calls();
  REQUIRE(d.remove(want).ok());
  CHECK(d.take_calls() == calls{"release"});
  CHECK(d.manager.units[web].active == "active");
}

} // namespace harmony::test
