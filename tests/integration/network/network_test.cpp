// The driver of kind Network on the real kernel.

#include "integration/network/network_bed.hpp"
#include "support/outcomes.hpp"

namespace harmony::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("network: physical link, all fields -> on the kernel, removed without a trace") {
  network_bed b;
  must("ip address add 192.168.7.7/24 dev port0");
  auto want = link_of("port0");
  want.spec.mtu = 1400;
  want.spec.addresses = {"10.7.0.2/24", "FD07::2/64", "10.7.1.2/32"};
  want.spec.routes = {{"default", "10.7.0.1", 50},
                      {"10.9.0.0/16", "", 0},
                      {"fd09::/64", "fd07::1", 0},
                      {"::/0", "fd07::1", 0}};
  b.must_converge(want);
  const auto addresses = must("ip -br address show port0");
  for (const auto* a : {"192.168.7.7/24", "10.7.0.2/24", "fd07::2/64", "10.7.1.2/32", "UP"})
    CHECK(has(addresses, a));
  CHECK(has(must("ip link show port0"), "mtu 1400"));
  CHECK(has(must("ip route show dev port0"), "default via 10.7.0.1 proto static metric 50"));
  CHECK(has(must("ip route show dev port0"), "10.9.0.0/16 proto static scope link"));
  CHECK(has(must("ip -6 route show dev port0"), "fd09::/64 via fd07::1 proto static metric 1024"));
  CHECK(has(must("ip -6 route show dev port0"), "default via fd07::1"));

  const auto state = std::get<network_status>(b.look(want)->state);
  CHECK(state.present);
  CHECK(state.up);
  CHECK(state.carrier);
  CHECK(state.mtu == 1400);

  REQUIRE(b.remove(want).ok());
  const auto left = must("ip -br address show port0");
  CHECK(has(left, "192.168.7.7/24"));
  CHECK_FALSE(has(left, "10.7."));
  CHECK_FALSE(has(left, "fd07::2"));
  CHECK_FALSE(has(must("ip route show dev port0"), "static"));
  CHECK_FALSE(has(must("ip -6 route show dev port0"), "static"));
  CHECK(b.owned.all().empty());
  CHECK(b.remove(want).ok());
}

TEST_CASE("network: fields change -> only the agent's own are changed") {
  network_bed b;
  must("ip address add 192.168.7.7/24 dev port0");
  auto want = link_of("port0");
  want.spec.addresses = {"10.7.0.2/24", "10.7.0.3/24"};
  want.spec.routes = {{"10.9.0.0/16", "10.7.0.1", 0}};
  b.must_converge(want);
  must("ip route add 10.8.0.0/16 dev port0");
  must("ip address add 10.7.0.99/24 dev port0"); // goes when the kernel drops 10.7.0.2's network
  want.spec.addresses = {"10.7.0.3/24"};
  want.spec.routes = {{"10.9.0.0/16", "10.7.0.4", 0}};
  CHECK(has(b.differences(want), "10.7.0.2/24"));
  b.must_converge(want);
  const auto addresses = must("ip -br address show port0");
  for (const auto* a : {"192.168.7.7/24", "10.7.0.3/24", "10.7.0.99/24"})
    CHECK(has(addresses, a));
  CHECK_FALSE(has(addresses, "10.7.0.2/24"));
  const auto routes = must("ip route show dev port0");
  CHECK(has(routes, "10.9.0.0/16 via 10.7.0.4"));
  CHECK(has(routes, "10.8.0.0/16"));
  CHECK_FALSE(has(routes, "via 10.7.0.1"));
}

TEST_CASE("network: down and up again -> addresses and routes are there again") {
  network_bed b;
  auto want = link_of("port0");
  want.spec.addresses = {"10.7.0.2/24", "fd07::2/64"};
  want.spec.routes = {{"10.9.0.0/16", "10.7.0.1", 0}};
  b.must_converge(want);
  want.spec.state = link_state::down;
  b.must_converge(want);
  CHECK(has(must("ip link show port0"), "state DOWN"));
  want.spec.state = link_state::up;
  b.must_converge(want);
  CHECK(has(must("ip -br address show port0"), "fd07::2/64"));
  CHECK(has(must("ip route show dev port0"), "10.9.0.0/16 via 10.7.0.1"));
}

TEST_CASE("network: bridge with members -> made, changed, deleted; members stay") {
  network_bed b;
  auto want = link_of("lan0", link_type::bridge);
  want.spec.members = {"port0"};
  want.spec.addresses = {"10.6.0.1/24"};
  b.must_converge(want);
  CHECK(has(must("ip -d link show lan0"), "bridge"));
  CHECK(has(must("ip link show port0"), "master lan0"));
  want.spec.members = {"far0"};
  b.must_converge(want);
  CHECK(has(must("ip link show far0"), "master lan0"));
  CHECK_FALSE(has(must("ip link show port0"), "master"));
  auto other = link_of("lan1", link_type::bridge);
  other.spec.members = {"far0"};
  CHECK(b.differences(other) == "NameConflict");
  REQUIRE(b.remove(want).ok());
  CHECK_FALSE(succeeds("ip link show lan0"));
  CHECK(succeeds("ip link show far0"));
}

// Which kinds of links there are is the kernel's affair. CTest runs these three by themselves, and
// counts as skipped what this kernel cannot show: see CMakeLists.txt.

TEST_CASE("network: kind of link that the kernel lacks -> NetworkFailed, nothing owned",
          "[.lacks]") {
  network_bed b;
  auto dummy = link_of("site0", link_type::dummy);
  dummy.spec.addresses = {"10.5.0.1/32"};
  must("ip link set port0 up");
  auto vlan = link_of("v7", link_type::vlan);
  vlan.spec.parent = "port0";
  vlan.spec.vlan_id = 7;
  vlan.spec.addresses = {"10.5.0.1/24"};
  int lacking = 0;
  for (const auto& [kind, want] : {std::pair{"dummy", dummy}, std::pair{"vlan", vlan}}) {
    if (kernel_has(kind))
      continue;
    ++lacking;
    check_failure(b.converge(want), ec::network_failed, "this device's kernel may lack it");
    CHECK(b.owned.all().empty());
  }
  CHECK(lacking > 0);
}

TEST_CASE("network: dummy -> made and deleted", "[.dummy]") {
  network_bed b;
  auto want = link_of("site0", link_type::dummy);
  want.spec.addresses = {"10.5.0.1/32"};
  b.must_converge(want);
  CHECK(has(must("ip -d address show site0"), "10.5.0.1/32"));
  REQUIRE(b.remove(want).ok());
  CHECK_FALSE(succeeds("ip link show site0"));
}

TEST_CASE("network: vlan -> made, made anew, deleted", "[.vlan]") {
  network_bed b;
  must("ip link set port0 up");
  auto want = link_of("v7", link_type::vlan);
  want.spec.parent = "port0";
  want.spec.vlan_id = 7;
  want.spec.addresses = {"10.5.0.1/24"};
  b.must_converge(want);
  CHECK(has(must("ip -d link show v7"), "vlan protocol 802.1Q id 7"));
  want.spec.vlan_id = 8;
  b.must_converge(want);
  CHECK(has(must("ip -d link show v7"), "vlan protocol 802.1Q id 8"));
  CHECK(has(must("ip -br address show v7"), "10.5.0.1/24"));
  REQUIRE(b.remove(want).ok());
  CHECK_FALSE(succeeds("ip link show v7"));
}

TEST_CASE(
  "network: what the kernel or the device refuses -> its own reason, in the kernel's words") {
  network_bed b;
  auto want = link_of("port0");
  SECTION("no such link, until it comes") {
    want = link_of("late0");
    CHECK(b.differences(want) == "LinkNotFound");
    must("ip link add late0 type ifb");
    b.must_converge(want);
    must("ip link delete late0");
  }
  SECTION("gateway that no address reaches") {
    want.spec.routes = {{"10.9.0.0/16", "172.31.0.1", 0}};
    check_failure(b.converge(want), ec::network_failed, "Nexthop has invalid gateway");
  }
  SECTION("mtu that the link cannot have") {
    must("ip link add link port0 name narrow0 type macvlan");
    want = link_of("narrow0");
    want.spec.mtu = 9000;
    check_failure(b.converge(want), ec::network_failed, "cannot set the MTU of 'narrow0' to 9000");
    must("ip link delete narrow0");
  }
  SECTION("somebody else's route to the same place") {
    want.spec.addresses = {"10.7.0.2/24"};
    b.must_converge(want);
    must("ip route add 10.9.0.0/16 via 10.7.0.8");
    want.spec.routes = {{"10.9.0.0/16", "10.7.0.9", 0}};
    check_failure(b.converge(want), ec::name_conflict, "another route to '10.9.0.0/16'");
  }
  SECTION("somebody else's link of that name") {
    must("ip link add lan0 type bridge");
    want = link_of("lan0", link_type::bridge);
    CHECK(b.differences(want) == "NameConflict");
    must("ip link delete lan0");
  }
}

TEST_CASE("network: store cut off by the change -> undone on the kernel, in time") {
  network_bed b;
  must("ip link set port0 up && ip address add 10.7.0.2/24 dev port0 && "
       "ip address add fd07::2/64 dev port0 && ip route add default via 10.7.0.1 proto dhcp "
       "src 10.7.0.2 metric 9 && ip route add 10.8.0.0/16 via 172.31.0.1 dev port0 onlink && "
       "ip -6 route add fd08::/64 via fd07::8 metric 77");
  const auto snapshot = [&] { return b.device.port.snapshot()->at("port0"); };
  auto before = snapshot();
  auto want = link_of("port0");
  want.spec.confirm = 1;
  b.device.store.rule = [&] {
    const auto now = snapshot();
    return now.up && now.mtu == 1500;
  };
  SECTION("other mtu, address and route") {
    want.spec.mtu = 1300;
    want.spec.addresses = {"10.7.0.3/24"};
    want.spec.routes = {{"10.9.0.0/16", "10.7.0.9", 0}};
  }
  SECTION("down: what the kernel dropped with it comes back") {
    want.spec.state = link_state::down;
  }
  const auto begin = std::chrono::steady_clock::now();
  check_failure(b.converge(want), ec::network_reverted, "undone");
  CHECK(std::chrono::steady_clock::now() - begin < seconds{3});
  auto after = snapshot();
  const auto no_link_local = [](link_facts& l) {
    std::erase_if(l.addresses, [](const auto& a) { return a.cidr.compare(0, 4, "fe80") == 0; });
    l.carrier = true; // is back a moment after the link is up
  };
  no_link_local(before);
  no_link_local(after);
  CHECK(after == before);
  CHECK(b.owned.all().empty());
}

TEST_CASE("network: made bridge cuts the store off -> deleted again") {
  network_bed b;
  auto want = link_of("lan0", link_type::bridge);
  want.spec.members = {"port0"};
  want.spec.confirm = 1;
  b.device.store.rule = [&] { return !succeeds("ip link show lan0"); };
  check_failure(b.converge(want), ec::network_reverted, "lan0");
  CHECK_FALSE(succeeds("ip link show lan0"));
  CHECK_FALSE(has(must("ip link show port0"), "master"));
}

TEST_CASE("network: device with systemd-networkd -> the link is as declared after a boot without "
          "the agent") {
  must("systemctl start systemd-networkd");
  network_bed b{"/"};
  auto want = link_of("lan0", link_type::bridge);
  want.spec.mtu = 1400;
  want.spec.addresses = {"10.5.0.1/24", "fd05::1/64"};
  want.spec.routes = {{"10.9.0.0/16", "", 0}, {"::/0", "fd05::9", 0}};
  b.must_converge(want);
  const auto booted = [&] {
    const auto end = std::chrono::steady_clock::now() + seconds{10};
    while (!b.differences(want).empty() && std::chrono::steady_clock::now() < end)
      must("sleep 0.05"); // networkd sends no event that all is done
    return b.differences(want);
  };
  // Its socket would start it again at the first announcement of the kernel.
  must("systemctl stop systemd-networkd.socket systemd-networkd && ip link delete lan0");
  CHECK_FALSE(b.differences(want).empty());
  must("systemctl start systemd-networkd");
  CHECK(booted().empty());
  CHECK(has(must("networkctl status lan0"), "70-harmony-lan0.network"));
  REQUIRE(b.remove(want).ok());
  CHECK(must("find /etc/systemd/network -name '70-harmony*'").empty());
  must("systemctl stop systemd-networkd.socket systemd-networkd && rm -r /run/systemd/netif/*");
}

} // namespace harmony::test
