#include "topology/database_monitor.hpp"

#include <filesystem>
#include <future>

#include "support/catch.hpp"
#include "support/hint_log.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {
namespace {

using namespace std::chrono_literals;
using facts = std::vector<runtime_fact>;

TEST_CASE("timed listing: answers in time -> its facts, or its failure") {
  timed_listing listing{"the things"};
  CHECK(*listing.run([] { return facts{{"a", "1"}}; }, 10s) == facts{{"a", "1"}});
  const auto failed = listing.run(
    []() -> outcome<facts> {
      return {ec::runtime_unavailable, "no"};
    },
    10s);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error() == failure{ec::runtime_unavailable, "no"});
}

TEST_CASE("timed listing: hangs -> timed_out; no other begins until it ends") {
  timed_listing listing{"the things"};
  std::promise<void> go_on;
  const auto late = listing.run(
    [wait = go_on.get_future().share()] {
      wait.wait();
      return facts{};
    },
    20ms);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ec::timed_out);
  const auto blocked = listing.run([] { return facts{}; }, 10s);
  REQUIRE_FALSE(blocked.ok());
  CHECK(blocked.error().message == "an earlier look at the things still hangs");
  go_on.set_value();
  const auto end = std::chrono::steady_clock::now() + 10s;
  auto again = listing.run([] { return facts{}; }, 10s);
  while (!again && std::chrono::steady_clock::now() < end)
    again = listing.run([] { return facts{}; }, 10s);
  CHECK(again.ok());
}

TEST_CASE("database monitor: file replaced, or new targets -> a hint without a name; one read") {
  const temp_dir dir;
  const auto file = (dir / "state").string();
  write_file(file, "1");
  int reads = 0;
  hint_log hints;
  const auto next = [&hints] {
    const bool came = hints.wait_for("");
    hints.clear();
    return came;
  };
  database_monitor monitor{"the state", {file}, [&](const std::vector<std::string>& targets) {
                             ++reads;
                             facts all;
                             for (const auto& t : targets)
                               all.push_back({t, read_file(file)});
                             return all;
                           }};
  monitor.start([told = hints.sink()](const std::string& target) {
    CHECK(target.empty());
    told(target);
  });
  monitor.watch({"a", "b"});
  CHECK(next());
  CHECK(*monitor.relist(10s) == facts{{"a", "1"}, {"b", "1"}});
  CHECK(reads == 1);
  CHECK(monitor.streaming());
  for (const auto* content : {"2", "3"}) {
    write_file(file + "-new", content);
    std::filesystem::rename(file + "-new", file);
    CHECK(next());
    CHECK(monitor.relist(10s)->front().fingerprint == content);
  }
  monitor.watch({"a", "c"});
  CHECK(next());
  CHECK(monitor.relist(10s)->back().target == "c");
  monitor.stop();
  monitor.stop();
}

} // namespace
} // namespace harmony::test
