// Not run by default: `integration_systemd "[bench]"` prints what an apply costs beside the bare
// steps over the same connection.

#include <algorithm>
#include <iostream>

#include "device_fixture.hpp"
#include "topology/systemd_files.hpp"

namespace harmony::test {

namespace {

constexpr int runs = 41;

class samples {
public:
  template <class F>
  void time(F one) {
    const auto start = clock::now();
    one();
    ms_.push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
  }
  ~samples() {
    std::sort(ms_.begin(), ms_.end());
    std::cout << what_ << ": " << ms_[ms_.size() / 2] << " ms (best " << ms_.front() << ")\n";
  }
  explicit samples(const char* what) : what_(what) {}
  samples(const samples&) = delete;
  samples& operator=(const samples&) = delete;

private:
  const char* what_;
  std::vector<double> ms_;
};

} // namespace

TEST_CASE("systemd bench: apply of one unit beside its bare steps", "[.][bench]") {
  device_fixture d;
  auto& manager = d.topology.manager;
  const wait_limit limit{{}, clock::now() + seconds{120}};
  auto name = [](const char* what, int i) {
    return "b-" + std::string{what} + std::to_string(i) + ".service";
  };
  REQUIRE(manager.list({"x.service"}, limit).ok()); // connected
  // Taken in turn, so that a busy machine slows all alike.
  {
    samples bare{"bare write, start, job"};
    samples looks{"look at an absent unit"};
    samples applies{"apply of a new unit"};
    samples again{"look at a converged unit"};
    samples enablement{"look at a converged unit, with enablement"};
    for (int i = 0; i < runs; ++i) {
      bare.time([&] {
        REQUIRE(write_unit_file(d.file(name("bare", i)), sleeper, overwrite::no).ok());
        REQUIRE(*manager.run(unit_job::start, name("bare", i), limit) == "done");
      });
      auto want = unit_of(name("apply", i), sleeper);
      outcome<systemd_unit_observed> seen{ec::internal, ""};
      looks.time([&] { seen = d.look(want); });
      const auto todo = d.reconciler.plan(want, *seen);
      auto ctx = d.context();
      applies.time([&] { REQUIRE(d.reconciler.apply(want, *todo, ctx).ok()); });
      again.time([&] { REQUIRE(d.look(want).ok()); });
      want.spec.enabled = i % 2 == 0;
      enablement.time([&] { REQUIRE(d.look(want).ok()); });
    }
  }
  {
    samples bare{"bare rewrite, reload, restart, job"};
    samples applies{"look and apply of changed content"};
    for (int i = 0; i < runs; ++i) {
      const auto text = sleeper + "Nice=1\n";
      bare.time([&] {
        REQUIRE(write_unit_file(d.file(name("bare", i)), text, overwrite::yes).ok());
        REQUIRE(manager.reload(limit).ok());
        REQUIRE(*manager.run(unit_job::restart, name("bare", i), limit) == "done");
      });
      applies.time([&] { REQUIRE(d.converge(unit_of(name("apply", i), text)).ok()); });
    }
  }
  {
    std::vector<std::string> units;
    for (int i = 0; i < runs; ++i)
      units.push_back(name("apply", i));
    systemd_monitor monitor{manager, manager};
    monitor.watch(units);
    samples lists{"relist of 41 units"};
    for (int i = 0; i < runs; ++i)
      lists.time([&] { REQUIRE(monitor.relist(seconds{10}).ok()); });
  }
}

} // namespace harmony::test
