// Killed or failed at each step, and repeated.

#include <algorithm>

#include "container_bench.hpp"

namespace harmony {

using namespace test::containers;

TEST_CASE("container: struck at every step, then repeated -> one container as desired") {
  using kind = saboteur::kind;
  const auto what =
    GENERATE(kind::fail_before, kind::fail_after, kind::kill_before, kind::kill_after);
  enum class story { create, replace, restart, stamp, remove };
  const auto which =
    GENERATE(story::create, story::replace, story::restart, story::stamp, story::remove);
  int steps = 0;
  for (int at = 0;; ++at) {
    INFO("struck at call " << at);
    bench b;
    auto want = want_of();
    want.spec.image = "registry/app:1";
    b.runtime.registry = {{"registry/app:1", "sha256:1"}, {"registry/app:2", "sha256:2"}};
    if (which != story::create)
      b.converge(want);
    if (which == story::replace) {
      want.revision = "sha256:b";
      want.spec.image = "registry/app:2";
    }
    if (which == story::restart)
      b.runtime.all.at(name).status = container_status::exited;
    if (which == story::stamp)
      want.restart_stamp = "s2";
    const auto removing = which == story::remove;
    const owned_target owned{want.id, name, true, {}};
    const auto once = [&]() -> outcome<void> {
      auto context = b.ctx();
      return removing ? b.subject.remove(owned, context) : b.step(want);
    };
    b.runtime.log.clear();
    b.hand = {what, at, 0};
    try {
      static_cast<void>(once());
    } catch (const killed&) {
    }
    const bool reached = b.hand.calls > at;
    b.hand = {};
    // What a crash leaves is never a container without a claim.
    if (!b.runtime.all.empty())
      CHECK(b.owned.all().size() == 1);
    for (int i = 0; i < 3; ++i)
      REQUIRE(once());
    if (removing) {
      CHECK(b.runtime.all.empty());
      CHECK(b.owned.all().empty());
    } else {
      REQUIRE(b.plan(want)->empty());
      REQUIRE(b.runtime.all.size() == 1);
      CHECK(b.runtime.all.at(name).image == want.spec.image);
      CHECK(b.runtime.all.at(name).labels.at(container_label::revision) == want.revision);
      CHECK(b.owned.all().size() == 1);
    }
    if (which == story::stamp)
      CHECK(std::count(b.runtime.log.begin(), b.runtime.log.end(), "start") >= 1);
    if (!reached)
      break;
    ++steps;
  }
  CHECK(steps >= 3);
}

TEST_CASE("container: a full disk and a new stamp -> no restart at all until it can be recorded") {
  bench b;
  b.converge(want_of("sha256:a", "s1"));
  const auto next = want_of("sha256:a", "s2");
  b.runtime.log.clear();
  // Calls of one step: inspect (observe), inspect (apply), claim.
  b.hand = {saboteur::kind::fail_before, 2, 0};
  const auto done = b.step(next);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::disk_full);
  CHECK(b.runtime.log.empty());
}

} // namespace harmony
