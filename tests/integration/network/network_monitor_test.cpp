#include "integration/network/network_bed.hpp"

namespace harmony::test {

namespace {

struct watching : network_bed {
  explicit watching(std::vector<std::string> links) {
    monitor.watch(std::move(links));
    monitor.start(hints.sink());
    REQUIRE(hints.wait_for("")); // it has subscribed
    hints.clear();
  }
  ~watching() { monitor.stop(); }
  watching(const watching&) = delete;
  watching& operator=(const watching&) = delete;

  std::vector<runtime_fact> relist() {
    auto facts = monitor.relist(seconds{5});
    REQUIRE(facts.ok());
    return *facts;
  }

  hint_log hints;
  network_monitor monitor{device.port};
};

} // namespace

TEST_CASE("network monitor: drift of each kind -> hint within milliseconds, healed") {
  watching w{{"port0"}};
  auto want = link_of("port0");
  want.spec.addresses = {"10.7.0.2/24", "fd07::2/64"};
  want.spec.routes = {{"10.9.0.0/16", "10.7.0.1", 0}, {"fd09::/64", "fd07::1", 0}};
  want.spec.mtu = 1400;
  w.must_converge(want);
  CHECK(w.monitor.streaming());
  for (const auto* drift :
       {"ip address delete 10.7.0.2/24 dev port0", "ip address delete fd07::2/64 dev port0",
        "ip route delete 10.9.0.0/16", "ip -6 route delete fd09::/64 dev port0",
        "ip link set port0 mtu 1500", "ip link set port0 down"}) {
    INFO(drift);
    const auto before = w.relist();
    w.hints.clear();
    must(drift);
    CHECK(w.hints.wait_for("port0", milliseconds{500}));
    CHECK(w.relist() != before);
    CHECK_FALSE(w.differences(want).empty());
    w.must_converge(want);
  }
}

TEST_CASE("network monitor: link comes and goes -> hints at all; absent: empty fingerprint") {
  watching w{{"late0", "waits-for-late0"}};
  CHECK(w.relist() == std::vector<runtime_fact>{{"late0", ""}, {"waits-for-late0", ""}});
  must("ip link add late0 type ifb");
  CHECK(w.hints.wait_for("late0"));
  CHECK(w.hints.wait_for("waits-for-late0"));
  CHECK_FALSE(w.relist()[0].fingerprint.empty());
  w.hints.clear();
  must("ip link delete late0");
  CHECK(w.hints.wait_for("late0"));
  CHECK(w.relist()[0].fingerprint.empty());
}

TEST_CASE("network monitor: member taken out of a bridge -> hint at the bridge, healed") {
  watching w{{"lan0"}};
  auto want = link_of("lan0", link_type::bridge);
  want.spec.members = {"port0"};
  w.must_converge(want);
  const auto before = w.relist();
  w.hints.clear();
  must("ip link set port0 nomaster");
  CHECK(w.hints.wait_for("lan0"));
  CHECK(w.relist() != before);
  w.must_converge(want);
  CHECK(w.relist().size() == 1);
}

TEST_CASE("network monitor: link of no interest -> no hint; stopped -> none at all") {
  watching w{{"port0"}};
  must("ip address add 10.3.0.1/24 dev far0");
  must("ip link set far0 mtu 1300");
  must("ip address add 10.3.0.2/24 dev port0"); // what comes in order after it
  CHECK(w.hints.wait_for("port0"));
  w.monitor.stop();
  CHECK_FALSE(w.monitor.streaming());
  w.hints.clear();
  must("ip address add 10.3.0.3/24 dev port0");
  w.monitor.stop();
}

} // namespace harmony::test
