#include "apps/pgguard/options.hpp"
#include "guard/launch.hpp"
#include "guard/page.hpp"
#include "guard/process_tree.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace harmony::guard;
using namespace std::chrono_literals;

std::string stat_of(const std::string& name, const std::string& state = "S") {
  return "12 (" + name + ") " + state
         + " 7 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8899 1234 56 18446744073709551615";
}

TEST_CASE("process tree: /proc/PID/stat -> who it is, whatever its name") {
  for (const auto* name : {"postgres", "a b", "(sd-pam)", ") S 1 1", "", "x) (y"}) {
    INFO(name);
    CHECK(read_stat(stat_of(name)) == process_entry{12, 7, true, 8899});
  }
  CHECK_FALSE(read_stat(stat_of("postgres", "Z"))->alive);
  for (const auto* bad : {"", "12", "12 (x)", "12 (x) S", "x (y) S 1", "12 (x) S y"}) {
    INFO(bad);
    CHECK_FALSE(read_stat(bad));
  }
}

TEST_CASE("process tree: descendants -> near and far, through zombies, without the dead") {
  const std::vector<process_entry> all{{1, 0, true, 1},  {9, 1, true, 1},   {5, 20, true, 1},
                                       {20, 9, true, 1}, {30, 9, false, 1}, {31, 30, true, 1},
                                       {8, 1, true, 1}};
  const auto found = descendants_of(9, all);
  REQUIRE(found.size() == 3);
  CHECK(found[0].pid == 20);
  CHECK(found[1].pid == 5);
  CHECK(found[2].pid == 31);
  CHECK(descendants_of(8, all).empty());
}

TEST_CASE("postgres --version: what it prints -> the major version") {
  CHECK(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n") == "15");
  CHECK(major_of("postgres (PostgreSQL) 17beta1\n") == "17");
  CHECK(major_of("postgres (PostgreSQL) ").empty());
  CHECK(major_of("bash 5.2").empty());
  CHECK(major_of("").empty());
}

TEST_CASE("backstop: a guard -> hung where it does not kill after its deadline") {
  const look idle{10, 0s, false, false};
  const look writing{10, 50s, true, false};
  const look killing{10, 50s, true, true};
  const look killing_on{11, 50s, true, true};
  CHECK_FALSE(hung(idle, idle, 90s));
  CHECK_FALSE(hung(writing, writing, 50s));
  CHECK_FALSE(hung(writing, writing, 50s + backstop_grace - 1ns));
  CHECK(hung(writing, writing, 50s + backstop_grace));
  CHECK_FALSE(hung(writing, killing, 51s));
  CHECK_FALSE(hung(killing, killing_on, 51s));
  CHECK(hung(killing, killing, 51s));
  CHECK(next_look(idle, 10s) == 0s);
  CHECK(next_look(writing, 10s) == 50s + backstop_grace);
  CHECK(next_look(killing, 60s) == 60s + backstop_grace);
}

std::variant<options, early_exit> read(std::vector<const char*> words) {
  words.insert(words.begin(), "harmony-pgguard");
  return read_options(static_cast<int>(words.size()), words.data());
}

TEST_CASE("pgguard options: flags -> taken, and the rest is for postgres") {
  const auto o = read({"--data-dir", "/d", "--socket", "/s", "--", "-c", "port=1", "--data-dir"});
  const auto* taken = std::get_if<options>(&o);
  REQUIRE(taken != nullptr);
  CHECK(taken->which.data_dir == "/d");
  CHECK(taken->socket == "/s");
  CHECK(taken->which.bin_dir.empty());
  CHECK(taken->which.options == std::vector<std::string>{"-c", "port=1", "--data-dir"});
}

TEST_CASE("pgguard options: wrong ones -> refused by name") {
  const auto complaint = [](std::vector<const char*> words) {
    const auto o = read(std::move(words));
    const auto* exit = std::get_if<early_exit>(&o);
    REQUIRE(exit != nullptr);
    CHECK(exit->code == 2);
    return exit->text;
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(complaint({}), Contains("--data-dir"));
  CHECK_THAT(complaint({"--data-dir", "d", "--socket", "/s"}), Contains("not 'd'"));
  CHECK_THAT(complaint({"--data-dir", "/d"}), Contains("--socket"));
  CHECK_THAT(complaint({"--socket"}), Contains("needs a value"));
  CHECK_THAT(complaint({"--nonsense"}), Contains("'--nonsense'"));
  const auto help = read({"--nonsense-before", "--help"});
  CHECK(std::get<early_exit>(help).code == 2);
  CHECK(std::get<early_exit>(read({"--help"})).code == 0);
  CHECK_THAT(std::get<early_exit>(read({"--version"})).text, Contains("harmony-pgguard "));
}

} // namespace

} // namespace harmony::test
