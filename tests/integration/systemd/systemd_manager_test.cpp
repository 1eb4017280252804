// The service manager itself: concurrency, hanging jobs, restarts of the manager and of the bus.

#include <atomic>
#include <filesystem>
#include <thread>

#include "device_fixture.hpp"
#include "support/temp_dir.hpp"
#include "topology/systemd_calls.hpp"
#include "topology/systemd_loop.hpp"

namespace harmony::test {

namespace {

wait_limit within(milliseconds limit) {
  return {{}, clock::now() + limit};
}

bool answered(bus_wait& wait) {
  std::unique_lock lock{wait.mutex};
  return wait.changed.wait_for(lock, seconds{20}, [&] { return wait.missing == 0; })
         && !wait.replies.front().error;
}

// What runs on the bus's side is not ours: ask systemd itself.
bool bus_answers() {
  int status = 1;
  shell("busctl status >/dev/null", &status);
  return status == 0;
}

} // namespace

TEST_CASE("systemd manager: hanging start -> timed out, others proceed, retry joins the job") {
  device_fixture d;
  const auto slow =
    unit_of("h-slow.service",
            "[Service]\nExecStartPre=/bin/sh -c 'echo run >> /run/h-slow.runs'\n"
            "ExecStartPre=/bin/sh -c 'while [ ! -e /run/h-slow.go ]; do sleep 0.02; done'\n"
            "ExecStart=/bin/sleep infinity\nTimeoutStartSec=infinity\n");
  std::atomic<bool> ended = false;
  outcome<void> done;
  std::thread hung{[&] {
    done = d.converge(slow, seconds{3});
    ended = true;
  }};
  const auto started = clock::now();
  while (d.properties("h-slow.service").sub_state != "start-pre")
    REQUIRE(clock::now() - started < seconds{2});
  d.must_converge(unit_of("h-quick.service", sleeper));
  CHECK_FALSE(ended);
  CHECK(d.topology.manager.reload(within(seconds{10})).ok());
  hung.join();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::timed_out);

  // The next attempt waits for the same job instead of starting over.
  CHECK(d.fields(slow) == std::vector<std::string>{"state"});
  std::thread release{[] { shell("touch /run/h-slow.go"); }};
  d.must_converge(slow);
  release.join();
  CHECK(shell("cat /run/h-slow.runs") == "run");
}

TEST_CASE("systemd manager: cancel during a job -> canceled at once") {
  device_fixture d;
  const auto slow = unit_of("h-cancel.service", "[Service]\nExecStartPre=/bin/sleep infinity\n"
                                                "ExecStart=/bin/sleep infinity\n"
                                                "TimeoutStartSec=infinity\n");
  std::stop_source stop;
  outcome<void> done;
  std::thread hung{[&] {
    op_context ctx{"dev", d.owned, stop.get_token(), clock::now() + seconds{60}};
    const auto seen = d.reconciler.observe(slow, ctx);
    done = d.reconciler.apply(slow, *d.reconciler.plan(slow, *seen), ctx);
  }};
  REQUIRE(eventually([&] { return d.properties("h-cancel.service").sub_state == "start-pre"; }));
  const auto asked = clock::now();
  stop.request_stop();
  hung.join();
  CHECK(clock::now() - asked < seconds{2});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::canceled);
}

TEST_CASE("systemd manager: 16 units changed at once -> one reload") {
  systemd_config config;
  config.reload_quiet = milliseconds{500}; // a busy machine must not pull them apart
  device_fixture d{config};
  std::vector<desired_unit> units;
  for (int i = 0; i < 16; ++i)
    units.push_back(unit_of("h-many" + std::to_string(i) + ".service", sleeper));
  auto all = [&] {
    std::vector<outcome<void>> results(units.size());
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < units.size(); ++i)
      workers.emplace_back([&, i] { results[i] = d.converge(units[i]); });
    for (auto& w : workers)
      w.join();
    for (const auto& r : results) {
      INFO((r ? std::string{} : r.error().message));
      CHECK(r.ok());
    }
  };
  all();
  CHECK(d.topology.manager.reloads() == 0);
  std::vector<std::string> runs;
  for (auto& u : units) {
    runs.push_back(d.properties(u.spec.unit).invocation_id);
    *u.spec.content += "Nice=1\n";
  }
  all();
  CHECK(d.topology.manager.reloads() == 1);
  for (std::size_t i = 0; i < units.size(); ++i) {
    CHECK(d.fields(units[i]).empty());
    CHECK(d.properties(units[i].spec.unit).invocation_id != runs[i]);
    CHECK(shell("systemctl show -P Nice " + units[i].spec.unit) == "1");
  }
}

TEST_CASE("systemd manager: a second reload asked for soon after the first -> one serves both") {
  const auto loop = std::make_shared<systemd_loop>(std::string{}, milliseconds{1000});
  std::thread running{[&] { loop->run(); }};
  const auto first = loop->reload();
  // By this answer the loop has dealt with what was asked before it.
  CHECK(answered(*loop->call({{"/org/freedesktop/systemd1",
                               "org.freedesktop.systemd1.Manager",
                               "ListUnitsByNames",
                               {std::vector<std::string>{"h-none.service"}},
                               bus_answer::units}},
                             clock::now() + seconds{20})));
  const auto second = loop->reload();
  CHECK(answered(*first));
  CHECK(answered(*second));
  CHECK(loop->reloads() == 1);
  loop->stop();
  running.join();
}

TEST_CASE("systemd manager: looks while a list is under way -> share the next one") {
  const auto loop = std::make_shared<systemd_loop>(std::string{});
  const auto look = [&](std::vector<std::string> units, std::vector<bus_request> more = {}) {
    return loop->look(std::move(units), std::move(more), clock::now() + seconds{20});
  };
  const auto names = [](const bus_wait& wait) {
    std::vector<std::string> all;
    for (const auto& row : wait.replies.front().units)
      all.push_back(row.name);
    return all;
  };
  using strings = std::vector<std::string>;
  // Asked before there is a connection, so that all of them are there when it comes.
  const auto first = look({"h-a.service"});
  const auto second =
    look({"h-b.service", "h-c.service"},
         {systemd_calls::manager_call("GetUnit", {std::string{"-.mount"}}, bus_answer::path)});
  const auto left = look({"h-left.service", "h-left2.service"});
  const auto third = look({"h-d.service"});
  loop->abandon(left);
  std::thread running{[&] { loop->run(); }};
  for (const auto& wait : {first, second, third})
    CHECK(answered(*wait));
  CHECK(names(*first) == strings{"h-a.service"});
  CHECK(names(*second) == strings{"h-b.service", "h-c.service"});
  CHECK(second->replies.at(1).text == unit_object_path("-.mount"));
  CHECK(names(*third) == strings{"h-d.service"});
  CHECK(loop->lists() == 2);
  loop->stop();
  running.join();
}

TEST_CASE("systemd manager: one look for what is no unit -> no other is the worse for it") {
  const auto loop = std::make_shared<systemd_loop>(std::string{});
  std::vector<systemd_loop::wait_ptr> looks;
  for (const auto* name : {"h-a.service", "no unit", "h-b.service"})
    looks.push_back(loop->look({name}, {}, clock::now() + seconds{20}));
  std::thread running{[&] { loop->run(); }};
  for (const auto& wait : looks)
    CHECK(answered(*wait));
  CHECK(looks[0]->replies.front().units.size() == 1);
  CHECK(looks[1]->replies.front().units.empty());
  REQUIRE(looks[2]->replies.front().units.size() == 1);
  CHECK(looks[2]->replies.front().units.front().name == "h-b.service");
  loop->stop();
  running.join();
}

TEST_CASE("systemd manager: more calls at once than the bus allows -> all are answered") {
  device_fixture d;
  const auto want = unit_of("h-asked.service", sleeper);
  d.must_converge(want);
  std::vector<outcome<void>> results(100); // of 5 calls each; the bus allows 128 at once
  std::vector<std::thread> askers;
  for (auto& r : results)
    askers.emplace_back([&] {
      const auto seen =
        d.topology.manager.properties("h-asked.service", false, within(seconds{20}));
      if (!seen)
        r = seen.error();
    });
  for (auto& a : askers)
    a.join();
  for (const auto& r : results) {
    INFO((r ? std::string{} : r.error().message));
    CHECK(r.ok());
  }
}

TEST_CASE("systemd manager: units written in quick succession -> each found without a reload") {
  device_fixture d;
  for (int i = 0; i < 20; ++i) {
    const auto want = unit_of("h-row" + std::to_string(i) + ".service", sleeper);
    const auto done = d.converge(want);
    INFO((done ? std::string{} : done.error().message));
    REQUIRE(done.ok());
  }
  CHECK(d.topology.manager.reloads() == 0);
}

TEST_CASE("systemd manager: executes itself anew -> used again, signals come again") {
  device_fixture d;
  const auto want = unit_of("h-reexec.service", sleeper);
  d.must_converge(want);
  systemd_monitor monitor{d.topology.manager, d.topology.manager};
  hint_log hints;
  monitor.watch({"h-reexec.service"});
  monitor.start(hints.sink());
  shell("systemctl daemon-reexec");
  REQUIRE(hints.wait_for(""));
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  hints.clear();
  shell("systemctl kill --signal=KILL h-reexec.service");
  CHECK(hints.wait_for("h-reexec.service"));
  REQUIRE(eventually([&] { return d.properties("h-reexec.service").active_state == "failed"; }));
  d.must_converge(want);
  monitor.stop();
}

TEST_CASE("systemd manager: bus stopped -> RuntimeUnavailable; started -> used again") {
  device_fixture d;
  const auto want = unit_of("h-bus.service", sleeper);
  d.must_converge(want);
  systemd_monitor monitor{d.topology.manager, d.topology.manager};
  hint_log hints;
  monitor.watch({"h-bus.service"});
  monitor.start(hints.sink());
  shell("systemctl stop dbus.socket dbus.service");
  REQUIRE(hints.wait_for(""));
  REQUIRE(eventually([&] { return !d.topology.manager.listening(); }));
  const auto asked = clock::now();
  const auto done = d.converge(want);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::runtime_unavailable);
  CHECK(clock::now() - asked < seconds{5});
  CHECK_FALSE(monitor.streaming());
  hints.clear();
  shell("systemctl start dbus.socket dbus.service");
  REQUIRE(eventually(bus_answers, seconds{20}));
  CHECK(hints.wait_for("", seconds{20}));
  REQUIRE(eventually([&] { return monitor.streaming(); }));
  CHECK(d.fields(want).empty());
  hints.clear();
  shell("systemctl kill --signal=KILL h-bus.service");
  CHECK(hints.wait_for("h-bus.service"));
  monitor.stop();
}

TEST_CASE("systemd manager: no bus at its address -> RuntimeUnavailable that names it") {
  temp_dir folder;
  systemd_config config;
  config.bus_address = "unix:path=" + (folder / "nobody").string();
  config.unit_folder = folder.path();
  device_fixture d{config};
  const auto seen = d.look(unit_of("h-nobus.service", sleeper));
  REQUIRE_FALSE(seen.ok());
  CHECK(seen.error().code == ec::runtime_unavailable);
  CHECK_THAT(seen.error().message, Catch::Matchers::Contains("nobody"));
}

TEST_CASE("systemd manager: a user's -> units in the user's folder, driven alike") {
  shell("systemctl start user@0.service");
  systemd_config config;
  config.manager = systemd_config::scope::user;
  config.bus_address = "unix:path=/run/user/0/bus";
  device_fixture d{config};
  CHECK(d.topology.manager.unit_folder() == "/root/.config/systemd/user");
  auto want = unit_of("h-user.service", sleeper + "[Install]\nWantedBy=default.target\n");
  want.spec.enabled = true;
  d.must_converge(want);
  const auto ask = std::string{"XDG_RUNTIME_DIR=/run/user/0 systemctl --user is-active "};
  CHECK(shell(ask + "h-user.service") == "active");
  CHECK(shell("systemctl is-active h-user.service") == "inactive");
  auto broken = unit_of("h-userbad.service", "[Service]\nType=exec\nExecStart=/no/such/program\n");
  const auto done = d.converge(broken);
  REQUIRE_FALSE(done.ok());
  CHECK_THAT(done.error().message, Catch::Matchers::Contains("journalctl --user -u"));
  REQUIRE(d.remove(want).ok());
  CHECK_FALSE(std::filesystem::exists(d.file("h-user.service")));
}

} // namespace harmony::test
