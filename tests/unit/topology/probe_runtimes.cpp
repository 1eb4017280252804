// Checks that go through a runtime of the device: a unit's state, a command in a container.

#include <optional>

#include "support/catch.hpp"
#include "topology/probe_runner.hpp"
#include "unit/topology/on_device.hpp"
#include "unit/topology/probe_fakes.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using strings = std::vector<std::string>;
using Catch::Matchers::Contains;

probe of_unit(std::string unit = {}, active_state state = active_state::active) {
  probe p;
  p.check = unit_probe{std::move(unit), state};
  return p;
}

probe exec(strings command) {
  probe p;
  p.check = exec_probe{std::move(command)};
  p.timeout = 30;
  return p;
}

outcome<probe_result> check(probe_runner& runner, const probe& p, const probe_subject& of) {
  return runner.check(p, of, {}, clock::now() + 30s);
}

const probe_subject own_unit{"SystemdUnit", "web.service"};
const probe_subject container{"Container", "harmony-app"};

} // namespace

TEST_CASE("probe runner: unit -> success in the wanted state only, by one list call") {
  listed_units units;
  probe_runner runner{&units, nullptr};
  const std::vector<std::pair<active_state, std::string>> states{
    {active_state::active, "active"},         {active_state::reloading, "reloading"},
    {active_state::inactive, "inactive"},     {active_state::failed, "failed"},
    {active_state::activating, "activating"}, {active_state::deactivating, "deactivating"}};
  for (const auto& [wanted, name] : states)
    for (const auto& [other, seen] : states) {
      INFO(name << " wanted, " << seen << " seen");
      units.row = {"", "loaded", seen, "sub", "", 0};
      const auto result = check(runner, of_unit({}, wanted), own_unit);
      REQUIRE(result);
      const bool reloads = wanted == active_state::active && other == active_state::reloading;
      CHECK(result->ok == (wanted == other || reloads));
      if (!result->ok)
        CHECK(result->message
              == "unit 'web.service' is '" + seen + "' (sub); expected '" + name + "'");
    }
  CHECK(units.asked.size() == states.size() * states.size());
}

TEST_CASE("probe runner: unit -> the named one, otherwise the resource's own") {
  listed_units units;
  probe_runner runner{&units, nullptr};
  CHECK(check(runner, of_unit(), own_unit));
  CHECK(check(runner, of_unit("db.service"), own_unit));
  CHECK(check(runner, of_unit("db.service"), container));
  CHECK(units.asked == strings{"web.service", "db.service", "db.service"});
}

TEST_CASE("probe runner: a unit that is not there -> failed, and says so") {
  listed_units units;
  units.row = {"", "not-found", "inactive", "dead", "", 0};
  probe_runner runner{&units, nullptr};
  const auto result = check(runner, of_unit(), own_unit);
  REQUIRE(result);
  CHECK(result->message == "unit 'web.service' is 'inactive' (dead), not-found; expected 'active'");
}

TEST_CASE("probe runner: the service manager does not answer -> the prober's error") {
  listed_units units;
  units.broken = failure{GENERATE(ec::runtime_unavailable, ec::timed_out), "the bus is away"};
  probe_runner runner{&units, nullptr};
  const auto result = check(runner, of_unit(), own_unit);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == units.broken->code);
  CHECK(result.error().message == "unit probe of 'web.service': the bus is away");
}

TEST_CASE("probe runner: no systemd -> unit probes are lacking, and only those") {
  probe_runner runner{nullptr, nullptr};
  const auto lack = runner.lack(of_unit());
  REQUIRE(lack);
  CHECK(lack->code == ec::capability_missing);
  CHECK_THAT(lack->message, Contains("'unit' probe") && Contains("systemd is off"));
  CHECK(check(runner, of_unit(), own_unit).error() == *lack);
  CHECK_FALSE(runner.lack(exec({"true"})));
  listed_units units;
  CHECK_FALSE((probe_runner{&units, nullptr}.lack(of_unit())));
}

TEST_CASE("probe runner: exec of a container -> in it; of any other kind -> on the device") {
  commanded_container runtime;
  probe_runner runner{nullptr, &runtime};
  const auto result = check(runner, exec({"/no/such/program", "x"}), container);
  REQUIRE(result);
  CHECK(result->ok);
  CHECK(runtime.asked == strings{"harmony-app: /no/such/program x"});
  CHECK(check(runner, exec({"true"}), own_unit)->ok);
  CHECK_FALSE(check(runner, exec({"false"}), {"ShellJob", "x"})->ok);
  CHECK(runtime.asked.size() == 1);
}

TEST_CASE("probe runner: how a command in a container ends -> what is said of it") {
  using ending = process_result::ending;
  commanded_container runtime;
  probe_runner runner{nullptr, &runtime};
  const auto said = [&](outcome<process_result> answer) {
    runtime.answer = std::move(answer);
    return check(runner, exec({"/bin/check"}), container);
  };
  CHECK(said(process_result{ending::exited, 0, "fine"})->ok);
  CHECK(said(process_result{ending::exited, 1, "no luck\nmore"})->message
        == "'/bin/check' exited with status 1: no luck");
  CHECK(said(process_result{ending::timed_out, 0, ""})->message
        == "'/bin/check' did not end in time");
  CHECK(said(process_result{ending::canceled, 0, ""}).error().code == ec::canceled);
  const auto away = said({ec::runtime_unavailable, "podman is away"});
  REQUIRE_FALSE(away);
  CHECK(
    away.error()
    == failure{ec::runtime_unavailable, "exec probe: '/bin/check' cannot be run: podman is away"});
}

} // namespace harmony::test
