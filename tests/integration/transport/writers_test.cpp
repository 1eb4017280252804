// The contract of src/transport/store.hpp under many writers, held by both stores.
#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;

} // namespace

TEMPLATE_TEST_CASE("store: eight writers at once -> one wins each round, revisions grow", "",
                   directory_bed, nats_bed) {
  prepared<TestType> bed;
  const auto second = open_connected(bed.url());
  constexpr int writers = 8;
  constexpr int rounds = 25;
  std::uint64_t revision = 0;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> won = 0;
    std::atomic<int> lost = 0;
    std::atomic<std::uint64_t> newest = 0;
    std::vector<std::thread> threads;
    threads.reserve(writers);
    for (int i = 0; i < writers; ++i)
      threads.emplace_back([&, i] {
        // Half of them write the very same value: that makes no two of them one.
        auto& mine = i % 2 == 0 ? *bed.first : *second;
        const auto value = i < writers / 2 ? std::string{"same"} : std::to_string(i);
        const auto done = mine.put(desired, "pi-1", value, revision, ample);
        if (done) {
          ++won;
          newest = *done;
        } else if (done.error().code == ec::conflict) {
          ++lost;
        }
      });
    for (auto& thread : threads)
      thread.join();
    REQUIRE(won == 1);
    REQUIRE(lost == writers - 1);
    REQUIRE(newest > revision);
    revision = newest;
    REQUIRE(bed.first->get(desired, "pi-1", ample).value()->revision == revision);
  }
}

TEMPLATE_TEST_CASE("store: another process adds up too -> no increment is lost", "", directory_bed,
                   nats_bed) {
  prepared<TestType> bed;
  constexpr int each = 40;
  const auto add = [](store& s) {
    for (int i = 0; i < each;) {
      const auto found = s.get(desired, "sum", ample);
      if (!found)
        return false;
      const auto sum = *found ? std::stoi((*found)->value) : 0;
      const auto done =
        s.put(desired, "sum", std::to_string(sum + 1), *found ? (*found)->revision : 0, ample);
      if (done)
        ++i;
      else if (done.error().code != ec::conflict)
        return false;
    }
    return true;
  };
  // A process of its own: this program, told by the environment what to be (see below).
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("HARMONY_TEST_ADD_TO", bed.url().c_str(), 1);
    ::execl("/proc/self/exe", "integration_transport", "[.adder]", "-o", "/dev/null", nullptr);
    ::_exit(127);
  }
  CHECK(add(*bed.first));
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(bed.first->get(desired, "sum", ample).value()->value == std::to_string(2 * each));
}

TEST_CASE("adder: the other process of the test above", "[.adder]") {
  const char* url = std::getenv("HARMONY_TEST_ADD_TO");
  REQUIRE(url != nullptr);
  const auto s = open_connected(url);
  for (int i = 0; i < 40;) {
    const auto found = s->get(desired, "sum", ample);
    REQUIRE(found);
    const auto sum = *found ? std::stoi((*found)->value) : 0;
    const auto done =
      s->put(desired, "sum", std::to_string(sum + 1), *found ? (*found)->revision : 0, ample);
    if (done)
      ++i;
    else
      REQUIRE(done.error().code == ec::conflict);
  }
}

} // namespace harmony::test
