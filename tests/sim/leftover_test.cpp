#include "model/manifest.hpp"
#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

TEST_CASE("agent: things of a former manifest at its start -> not Converged before they are gone") {
  world w;
  w.apply(file_json("b", "1"));
  w.start();
  REQUIRE(w.status().phase == agent_phase::converged);
  w.stop();
  w.apply(""); // nothing else to wait for
  const auto accepted = manifest_json(2, "");
  REQUIRE(
    w.state->save_accepted(2, 0, sha256_hex(accepted), accepted)); // and killed right after it
  int converged = 0;
  bool lied = false;
  const auto watch =
    w.link
      .watch(bucket::actual_state, "pi-1",
             [&](const std::string&) {
               const auto s = w.status();
               if (s.phase != agent_phase::converged || s.observed_generation != 2)
                 return;
               ++converged;
               lied = lied || w.device.things.count("/srv/b") != 0 || !s.resources.empty();
             })
      .value();
  w.start();
  w.run_for(std::chrono::seconds{5});
  CHECK(converged > 0);
  CHECK_FALSE(lied);
  CHECK(w.device.things.count("/srv/b") == 0);
}

} // namespace harmony::test
