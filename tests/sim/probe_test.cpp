#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

/// The unit web.service with one probe.
std::string web(const std::string& which, const std::string& check) {
  return unit_json("web", R"(,"probes":{")" + which
                            + R"(":{"periodSeconds":1,"failureThreshold":2,)" + check + "}}");
}

const std::string tcp = R"("tcp":{"port":80})";

} // namespace

TEST_CASE("agent: a readiness probe -> ready only once it passes, not ready when it stops to") {
  world w;
  w.probes->fails("web.service");
  w.start();
  w.apply(web("readiness", tcp));
  w.run_for(5s);
  CHECK(w.standing("SystemdUnit/web") == "Probing ProbeFailed");
  CHECK(w.status().phase == agent_phase::converging);
  w.probes->passes("web.service");
  w.run_for(2s);
  CHECK(w.status().phase == agent_phase::converged);
  w.probes->fails("web.service");
  w.run_for(3s);
  CHECK(w.standing("SystemdUnit/web") == "Probing ProbeFailed");
  CHECK(w.device.log == log{"apply web.service"});
}

TEST_CASE("agent: a liveness probe fails for good -> restarted, with backoff") {
  world w;
  w.probes->fails("web.service");
  w.start();
  w.apply(web("liveness", tcp));
  w.run_for(4s);
  REQUIRE(w.device.log.size() >= 2);
  CHECK(w.device.log[1] == "restart web.service");
  const auto soon = w.device.log.size();
  w.run_for(5min);
  CHECK(w.device.log.size() > soon);
  CHECK(w.device.log.size() < 14); // 1 2 4 8 16 32 64 128 s between restarts
}

TEST_CASE("agent: every check -> made of the resource by the runtime's own name of it") {
  world w;
  w.start();
  w.apply(web("readiness", GENERATE(R"("exec":{"command":["/bin/true"]})", R"("tcp":{"port":80})",
                                    R"("http":{"port":80})", R"("unit":{})")));
  CHECK(w.standing("SystemdUnit/web") == "Ready");
  REQUIRE(w.probes->made.size() == 1);
  const auto& made = w.probes->made.front();
  CHECK(made.substr(made.find(' ')) == " SystemdUnit web.service");
}

TEST_CASE("agent: a check that cannot be made -> changes nothing, whichever probe it is of") {
  world w;
  w.start();
  w.apply(web(GENERATE("readiness", "liveness"), R"("unit":{})"));
  REQUIRE(w.status().phase == agent_phase::converged);
  w.probes->breaks("web.service", ec::runtime_unavailable, "the bus is away");
  w.run_for(1h);
  CHECK(w.status().phase == agent_phase::converged);
  CHECK(w.device.log == log{"apply web.service"});
  CHECK(w.probes->made.size() > 3000);
}

TEST_CASE("agent: a readiness check that could never be made -> not ready, and says why") {
  world w;
  w.probes->breaks("web.service", ec::runtime_unavailable, "the bus is away");
  w.start();
  w.apply(web("readiness", R"("unit":{})"));
  w.run_for(10s);
  CHECK(w.standing("SystemdUnit/web") == "Probing ProbeFailed");
  CHECK(w.resource("SystemdUnit/web").message
        == "readiness probe could not be made: the bus is away");
}

TEST_CASE("agent: a unit probe on a device without systemd -> rejected, the others converge") {
  world w;
  w.probes->systemd = false;
  w.start();
  const auto which = GENERATE("startup", "readiness", "liveness");
  w.apply(file_json("a", "1",
                    R"(,"probes":{")" + std::string{which} + R"(":{"unit":{"unit":"x.service"}}})")
          + "," + file_json("b", "1", R"(,"probes":{"readiness":{"tcp":{"port":80}}})"));
  CHECK(w.standing("File/a") == "Rejected CapabilityMissing");
  CHECK(w.resource("File/a").message == "no systemd");
  CHECK(w.standing("File/b") == "Ready");
  w.apply(file_json("a", "1"));
  CHECK(w.standing("File/a") == "Ready");
}

} // namespace harmony::test
