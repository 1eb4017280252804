#include <filesystem>

#include "device_fixture.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

struct watching : device_fixture {
  explicit watching(std::vector<std::string> units) {
    monitor.watch(std::move(units));
    monitor.start(hints.sink());
  }
  ~watching() { monitor.stop(); }
  watching(const watching&) = delete;
  watching& operator=(const watching&) = delete;

  std::vector<runtime_fact> relist() {
    auto facts = monitor.relist(seconds{10});
    INFO((facts ? std::string{} : facts.error().message));
    REQUIRE(facts.ok());
    return *facts;
  }

  hint_log hints;
  systemd_monitor monitor{topology.manager, topology.manager};
};

} // namespace

TEST_CASE("systemd monitor: killed main process -> hint, other fingerprint") {
  watching w{{"m-kill.service"}};
  w.must_converge(unit_of("m-kill.service", sleeper));
  CHECK(w.monitor.streaming());
  const auto before = w.relist();
  REQUIRE(before.size() == 1);
  CHECK(before[0].target == "m-kill.service");
  CHECK(w.relist() == before);
  w.hints.clear();
  shell("systemctl kill --signal=KILL m-kill.service");
  CHECK(w.hints.wait_for("m-kill.service"));
  CHECK(eventually([&] { return w.relist() != before; }));
}

TEST_CASE("systemd monitor: edited unit file -> hint, other fingerprint") {
  watching w{{"m-edit.service"}};
  w.must_converge(unit_of("m-edit.service", sleeper));
  const auto before = w.relist();
  w.hints.clear();
  SECTION("in place") {
    write_file(w.file("m-edit.service"), sleeper);
  }
  SECTION("deleted") {
    std::filesystem::remove(w.file("m-edit.service"));
  }
  CHECK(w.hints.wait_for("m-edit.service"));
  CHECK(w.relist() != before);
  std::filesystem::remove(w.file("m-edit.service")); // it is not the agent's any more
}

TEST_CASE("systemd monitor: unit disabled by hand -> relist asked for, other fingerprint") {
  watching w{{"m-enabled.service"}};
  auto want = unit_of("m-enabled.service", sleeper + "[Install]\nWantedBy=multi-user.target\n");
  want.spec.enabled = true;
  w.must_converge(want);
  const auto before = w.relist();
  w.hints.clear();
  shell("systemctl disable m-enabled.service");
  CHECK(w.hints.wait_for(""));
  CHECK(w.relist() != before);
}

TEST_CASE("systemd monitor: unit that is not there -> empty fingerprint") {
  watching w{{"m-none.service", "systemd-journald.service", "not a unit"}};
  const auto facts = w.relist();
  REQUIRE(facts.size() == 2);
  CHECK(facts[0] == runtime_fact{"m-none.service", ""});
  CHECK_FALSE(facts[1].fingerprint.empty());
}

TEST_CASE("systemd monitor: more units than match rules -> still hinted at") {
  std::vector<std::string> units{"m-last.service"};
  for (int i = 0; i < 600; ++i)
    units.push_back("m-absent" + std::to_string(i) + ".service");
  watching w{units};
  w.must_converge(unit_of("m-last.service", sleeper));
  CHECK(w.relist().size() == 601);
  w.hints.clear();
  shell("systemctl kill --signal=KILL m-last.service");
  CHECK(w.hints.wait_for("m-last.service"));
}

TEST_CASE("systemd monitor: unit of no interest -> no hint") {
  watching w{{"m-mine.service"}};
  const auto other = unit_of("m-other.service", sleeper);
  w.must_converge(other);
  shell("systemctl kill --signal=KILL m-other.service");
  REQUIRE(eventually([&] { return w.properties("m-other.service").active_state == "failed"; }));
  // What comes in order after it proves that nothing came before.
  w.must_converge(unit_of("m-mine.service", sleeper));
  REQUIRE(w.hints.wait_for("m-mine.service"));
  CHECK_FALSE(w.hints.wait_for("m-other.service", milliseconds{0}));
}

TEST_CASE("systemd monitor: stopped -> no hint comes") {
  watching w{{"m-stop.service"}};
  w.must_converge(unit_of("m-stop.service", sleeper));
  w.monitor.stop();
  w.hints.clear();
  shell("systemctl stop m-stop.service");
  CHECK_FALSE(w.hints.wait_for("m-stop.service", milliseconds{0}));
}

} // namespace harmony::test
