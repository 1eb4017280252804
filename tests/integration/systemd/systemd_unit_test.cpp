#include <filesystem>

#include "device_fixture.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using fields = std::vector<std::string>;

std::string variant(const std::string& n) {
  return "[Service]\nEnvironment=VARIANT=" + n + "\nExecStart=/bin/sleep infinity\n";
}

/// The variable of the program that runs.
std::string running_variant(const std::string& unit) {
  return shell("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID " + unit
               + ")/environ | grep ^VARIANT=");
}

} // namespace

TEST_CASE("systemd unit: new content -> file with marker, running unit, recorded") {
  device_fixture d;
  const auto want = unit_of("h-new.service", sleeper);
  CHECK(d.fields(want) == fields{"content", "state"});
  d.must_converge(want);
  CHECK(read_file(d.file("h-new.service"))
        == "# Managed by harmony-agent: agent=dev resource=SystemdUnit/h-new\n" + sleeper);
  CHECK(d.properties("h-new.service").active_state == "active");
  CHECK(d.properties("h-new.service").fragment_path == d.file("h-new.service"));
  CHECK(d.owned.find(want.id, "h-new.service")->created);
  CHECK(d.topology.manager.reloads() == 0);
}

TEST_CASE("systemd unit: changed content -> reloaded and restarted with it") {
  device_fixture d;
  auto want = unit_of("h-content.service", sleeper);
  d.must_converge(want);
  const auto before = d.properties("h-content.service").invocation_id;
  want.spec.content = "[Service]\nExecStart=/bin/sleep 98765\n";
  CHECK(d.fields(want) == fields{"content", "restart"});
  d.must_converge(want);
  CHECK(d.properties("h-content.service").invocation_id != before);
  CHECK(d.topology.manager.reloads() == 1);
  const auto pid = shell("systemctl show -P MainPID h-content.service");
  CHECK(shell("tr '\\0' ' ' < /proc/" + pid + "/cmdline") == "/bin/sleep 98765 ");
}

TEST_CASE(
  "systemd unit: started by the former content behind the look's back -> runs the new one") {
  device_fixture d;
  d.must_converge(unit_of("h-behind.service", variant("1")));
  shell("systemctl kill --signal=KILL h-behind.service");
  REQUIRE(eventually([&] { return d.properties("h-behind.service").active_state == "failed"; }));
  const auto want = unit_of("h-behind.service", variant("2"));
  const auto todo = d.plan(want);
  shell("systemctl start h-behind.service"); // as a start that was given up, and still came
  REQUIRE(running_variant("h-behind.service") == "VARIANT=1");
  auto ctx = d.context();
  REQUIRE(d.reconciler.apply(want, todo, ctx).ok());
  CHECK(running_variant("h-behind.service") == "VARIANT=2");
  CHECK(d.fields(want).empty());
}

TEST_CASE("systemd unit: new content is loaded, the program older -> seen, whoever reloads") {
  device_fixture d;
  auto want = unit_of("h-older.service", variant("1"));
  d.must_converge(want);
  want = unit_of("h-older.service", variant("2"));
  auto ctx = d.context();
  REQUIRE(d.reconciler.apply(want, {{action::update, "content", "", ""}}, ctx).ok());
  shell("systemctl daemon-reload");
  CHECK(running_variant("h-older.service") == "VARIANT=1");
  CHECK(d.fields(want) == fields{"restart"});
  d.must_converge(want);
  CHECK(running_variant("h-older.service") == "VARIANT=2");
}

TEST_CASE("systemd unit: clock set back before a change -> runs the new content") {
  device_fixture d;
  d.must_converge(unit_of("h-clock.service", variant("1")));
  shell("touch --date=tomorrow " + d.file("h-clock.service").string()
        + " && systemctl daemon-reload");
  const auto want = unit_of("h-clock.service", variant("2"));
  d.must_converge(want);
  CHECK(running_variant("h-clock.service") == "VARIANT=2");
}

TEST_CASE(
  "systemd unit: file deleted by hand and forgotten by the manager -> runs the new content") {
  device_fixture d;
  d.must_converge(unit_of("h-forgotten.service", variant("1")));
  std::filesystem::remove(d.file("h-forgotten.service"));
  shell("systemctl daemon-reload");
  REQUIRE(d.properties("h-forgotten.service").load_state == "not-found");
  const auto want = unit_of("h-forgotten.service", variant("2"));
  CHECK(d.fields(want) == fields{"content", "restart"});
  d.must_converge(want);
  CHECK(running_variant("h-forgotten.service") == "VARIANT=2");
}

TEST_CASE("systemd unit: changed restart stamp -> restarted once, without a reload") {
  device_fixture d;
  auto want = unit_of("h-stamp.service", sleeper);
  d.must_converge(want);
  const auto before = d.properties("h-stamp.service").invocation_id;
  want.restart_stamp = "File/conf@2";
  CHECK(d.fields(want) == fields{"restart"});
  d.must_converge(want);
  CHECK(d.properties("h-stamp.service").invocation_id != before);
  CHECK(d.topology.manager.reloads() == 0);
}

TEST_CASE("systemd unit: file edited by hand -> drift, healed by a restart") {
  device_fixture d;
  const auto want = unit_of("h-edit.service", sleeper);
  d.must_converge(want);
  auto text = read_file(d.file("h-edit.service"));
  write_file(d.file("h-edit.service"), text + "Nice=5\n");
  CHECK(d.fields(want) == fields{"content", "restart"});
  d.must_converge(want);
  CHECK(read_file(d.file("h-edit.service")) == text);
}

TEST_CASE("systemd unit: killed process -> started again, failure forgotten") {
  device_fixture d;
  const auto want = unit_of("h-kill.service", sleeper);
  d.must_converge(want);
  shell("systemctl kill --signal=SEGV h-kill.service");
  REQUIRE(eventually([&] { return d.properties("h-kill.service").active_state == "failed"; }));
  CHECK(d.fields(want) == fields{"state"});
  d.must_converge(want);
}

TEST_CASE("systemd unit: program that is not there -> UnitFailed that says so") {
  device_fixture d;
  const auto done =
    d.converge(unit_of("h-broken.service", "[Service]\nType=exec\nExecStart=/no/such/program\n"));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_failed);
  CHECK(done.error().message
        == "h-broken.service failed: exit-code 203/EXEC; see journalctl -u h-broken.service");
}

TEST_CASE("systemd unit: program killed before it was ready -> UnitFailed with the signal") {
  device_fixture d;
  const auto done = d.converge(unit_of(
    "h-signal.service", "[Service]\nType=notify\nExecStart=/bin/sh -c 'kill -KILL $$$$'\n"));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_failed);
  CHECK(done.error().message
        == "h-signal.service failed: signal 9/KILL; see journalctl -u h-signal.service");
}

TEST_CASE("systemd unit: Restart= after a crash -> its restart is waited for, counted, kept") {
  device_fixture d;
  const auto want =
    unit_of("h-again.service", "[Service]\nExecStart=/bin/sleep infinity\nRestart=always\n");
  d.must_converge(want);
  shell("systemctl kill --signal=KILL h-again.service");
  REQUIRE(eventually([&] { return d.properties("h-again.service").active_state != "active"; }));
  d.must_converge(want);
  CHECK(d.properties("h-again.service").restarts == 1);
}

TEST_CASE("systemd unit: start limit hit -> forgotten and started") {
  device_fixture d;
  auto want =
    unit_of("h-limit.service", "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=1h\n" + sleeper);
  d.must_converge(want);
  for (int i = 0; i < 3; ++i)
    shell("systemctl restart h-limit.service");
  REQUIRE(d.properties("h-limit.service").active_state == "failed");
  d.must_converge(want);
}

TEST_CASE("systemd unit: oneshot that ends -> UnitFailed that names RemainAfterExit") {
  device_fixture d;
  auto want = unit_of("h-once.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_failed);
  CHECK_THAT(done.error().message, Catch::Matchers::Contains("RemainAfterExit=yes"));
  want.spec.content = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n";
  d.must_converge(want);
}

TEST_CASE("systemd unit: condition that does not hold -> UnitFailed, not called converged") {
  device_fixture d;
  const auto done =
    d.converge(unit_of("h-cond.service", "[Unit]\nConditionPathExists=/no/such\n" + sleeper));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_failed);
  CHECK_THAT(done.error().message, Catch::Matchers::Contains("Condition"));
}

TEST_CASE("systemd unit: content that systemd refuses -> UnitInvalid") {
  device_fixture d;
  const auto done = d.converge(unit_of("h-bad.service", "[Service]\nType=simple\n"));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_invalid);
}

TEST_CASE("systemd unit: masked -> UnitMasked, mask left alone") {
  device_fixture d;
  shell("systemctl mask h-masked.service");
  const auto done = d.converge(unit_of("h-masked.service", sleeper));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_masked);
  CHECK(std::filesystem::read_symlink(d.file("h-masked.service")) == "/dev/null");
  shell("systemctl unmask h-masked.service");
}

TEST_CASE("systemd unit: foreign file of that name -> NameConflict, left alone") {
  device_fixture d;
  write_file(d.file("h-foreign.service"), sleeper);
  const auto want = unit_of("h-foreign.service", sleeper + "Nice=5\n");
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::name_conflict);
  CHECK(read_file(d.file("h-foreign.service")) == sleeper);
  CHECK(d.owned.all().empty());
  std::filesystem::remove(d.file("h-foreign.service"));
}

TEST_CASE("systemd unit: content for a packaged unit -> NameConflict, nothing written") {
  device_fixture d;
  const auto done = d.converge(unit_of("systemd-journald.service", sleeper));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::name_conflict);
  CHECK_FALSE(std::filesystem::exists(d.file("systemd-journald.service")));
}

TEST_CASE("systemd unit: enabled, then not -> link made and removed") {
  device_fixture d;
  auto want = unit_of("h-enabled.service", sleeper + "[Install]\nWantedBy=multi-user.target\n");
  want.spec.enabled = true;
  const auto link = d.file("multi-user.target.wants") / "h-enabled.service";
  d.must_converge(want);
  CHECK(std::filesystem::is_symlink(link));
  std::filesystem::remove(link);
  CHECK(d.fields(want) == fields{"enabled"});
  d.must_converge(want);
  want.spec.enabled = false;
  CHECK(d.fields(want) == fields{"enabled"});
  d.must_converge(want);
  CHECK_FALSE(std::filesystem::is_symlink(link));
}

TEST_CASE("systemd unit: another WantedBy in new content -> only the new link is left") {
  device_fixture d;
  auto want = unit_of("h-relink.service", sleeper + "[Install]\nWantedBy=multi-user.target\n");
  want.spec.enabled = true;
  d.must_converge(want);
  want.spec.content = sleeper + "[Install]\nWantedBy=graphical.target\n";
  d.must_converge(want);
  CHECK(std::filesystem::is_symlink(d.file("graphical.target.wants") / "h-relink.service"));
  CHECK_FALSE(std::filesystem::is_symlink(d.file("multi-user.target.wants") / "h-relink.service"));
}

TEST_CASE("systemd unit: enabled without [Install] -> UnitInvalid that says so") {
  device_fixture d;
  auto want = unit_of("h-noinstall.service", sleeper);
  want.spec.enabled = true;
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_invalid);
  CHECK_THAT(done.error().message, Catch::Matchers::Contains("[Install]"));
}

TEST_CASE("systemd unit: without content -> somebody else's unit is stopped and started") {
  device_fixture d;
  write_file(d.file("h-other.service"), sleeper);
  auto want = unit_of("h-other.service", {});
  d.must_converge(want);
  CHECK(d.owned.all().empty());
  want.spec.state = unit_state::inactive;
  d.must_converge(want);
  CHECK(d.remove(want).ok());
  CHECK(read_file(d.file("h-other.service")) == sleeper);
  std::filesystem::remove(d.file("h-other.service"));
}

TEST_CASE("systemd unit: unit that is not installed -> UnitNotFound") {
  device_fixture d;
  const auto done = d.converge(unit_of("h-nonesuch.service", {}));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::unit_not_found);
}

TEST_CASE("systemd unit: remove -> process, file, links, failure and record are gone") {
  device_fixture d;
  auto want = unit_of("h-gone.service", sleeper + "[Install]\nWantedBy=multi-user.target\n");
  want.spec.enabled = true;
  d.must_converge(want);
  const bool failed = GENERATE(false, true);
  if (failed) {
    shell("systemctl kill --signal=SEGV h-gone.service");
    REQUIRE(eventually([&] { return d.properties("h-gone.service").active_state == "failed"; }));
  }
  REQUIRE(d.remove(want).ok());
  CHECK_FALSE(std::filesystem::exists(d.file("h-gone.service")));
  CHECK_FALSE(std::filesystem::is_symlink(d.file("multi-user.target.wants") / "h-gone.service"));
  CHECK(d.owned.all().empty());
  CHECK(d.properties("h-gone.service").load_state == "not-found");
  CHECK(d.properties("h-gone.service").active_state == "inactive");
  CHECK(shell("systemctl list-units --all --no-legend h-gone.service").empty());
  CHECK(d.remove(want).ok());
}

TEST_CASE("systemd unit: removed while its start still waits in the queue -> never runs") {
  device_fixture d;
  temp_dir folder;
  const auto gate = (folder / "open").string();
  must("systemd-run --quiet --no-block --unit=h-gate.service --property=Type=oneshot /bin/sh -c "
       "'until [ -e "
       + gate + " ]; do sleep 0.02; done'");
  const auto want = unit_of("h-queued.service", "[Unit]\nAfter=h-gate.service\n" + sleeper);
  CHECK(d.converge(want, milliseconds{300}).error().code == ec::timed_out);
  REQUIRE(d.properties("h-queued.service").active_state == "inactive");
  REQUIRE(d.remove(want).ok());
  write_file(gate, "");
  REQUIRE(
    eventually([] { return succeeds("! systemctl is-active h-gate.service | grep -x activating"); },
               seconds{10}));
  CHECK_FALSE(succeeds("systemctl is-active --quiet h-queued.service"));
  CHECK(shell("systemctl list-jobs --no-legend h-queued.service").empty());
}

TEST_CASE("systemd unit: file deleted by hand, then remove -> process and links are gone") {
  device_fixture d;
  auto want = unit_of("h-lost.service", sleeper + "[Install]\nWantedBy=multi-user.target\n");
  want.spec.enabled = true;
  d.must_converge(want);
  std::filesystem::remove(d.file("h-lost.service"));
  SECTION("put back") {
    d.must_converge(want);
  }
  SECTION("removed") {
    REQUIRE(d.remove(want).ok());
    CHECK(d.properties("h-lost.service").active_state == "inactive");
    CHECK_FALSE(std::filesystem::is_symlink(d.file("multi-user.target.wants") / "h-lost.service"));
  }
}

} // namespace harmony::test
