// The lifecycle machine among faults: seeded random worlds, and a crash after every step.

#include "support/catch.hpp"
#include "unit/core/rig.hpp"
#include "unit/core/world.hpp"

namespace harmony::test {

namespace {

constexpr std::uint64_t first_seed = 20240601;

TEST_CASE("lifecycle: 25000 hostile worlds -> invariants hold at every step, and all settle") {
  std::uint32_t seen_in[11] = {};
  for (std::uint64_t i = 0; i < 25000; ++i) {
    world w{first_seed + i};
    for (int n = 0; n < 60 && w.violation().empty(); ++n) {
      w.disturb();
      ++seen_in[static_cast<std::size_t>(w.state().phase)];
    }
    const bool settled = w.settles();
    if (settled && w.violation().empty())
      continue;
    INFO("seed " << first_seed + i << "\n" << w.story());
    CHECK(w.violation().empty());
    INFO(w.violation());
    REQUIRE(settled);
    REQUIRE(w.violation().empty());
  }
  for (std::size_t p = 0; p < std::size(seen_in); ++p) {
    INFO("steps that ended in " << text(static_cast<resource_phase>(p)));
    CHECK(seen_in[p] > 1000); // else the worlds are too tame to say anything
  }
}

TEST_CASE("lifecycle: a crash after every step of 400 worlds -> a new machine converges") {
  for (std::uint64_t i = 0; i < 400; ++i)
    for (int steps = 0; steps <= 40; ++steps) {
      world w{first_seed + i};
      for (int n = 0; n < steps; ++n)
        w.disturb();
      w.crash();
      const bool settled = w.settles();
      if (settled && w.violation().empty())
        continue;
      INFO("seed " << first_seed + i << ", crash after " << steps << "\n" << w.story());
      INFO(w.violation());
      REQUIRE(settled);
      REQUIRE(w.violation().empty());
    }
}

} // namespace

} // namespace harmony::test
