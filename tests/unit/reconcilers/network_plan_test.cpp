#include "unit/reconcilers/network_world.hpp"

namespace harmony::test {

namespace {

struct device_without_network {};

template <class T>
concept can_manage_network = requires {
  typename network_reconciler<T>;
};

static_assert(can_manage_network<network_topology>);
static_assert(!can_manage_network<device_without_network>);
static_assert(reconciler<network_reconciler<network_topology>>);

} // namespace

TEST_CASE("network plan: physical link as declared by others -> nothing to do, nothing owned") {
  network_world w;
  CHECK(w.planned().empty());
  w.want.spec.addresses = {"10.0.0.2/24"};
  w.want.spec.routes = {{"default", "10.0.0.1", 0}};
  w.want.spec.mtu = 1500;
  CHECK(w.planned().empty());
  check_ok(w.converge());
  CHECK_FALSE(w.is_recorded());
}

TEST_CASE("network plan: each field that differs -> a change of that field") {
  network_world w;
  auto& spec = w.want.spec;
  std::string expected;
  SECTION("address") {
    spec.addresses = {"10.0.0.3/24"};
    expected = "create addresses -> 10.0.0.3/24";
  }
  SECTION("the same address in two spellings") {
    spec.addresses = {"FD00:0::1/64", "fd00::1/64"};
    expected = "create addresses -> fd00::1/64";
  }
  SECTION("route") {
    spec.routes = {{"10.1.0.0/16", "10.0.0.9", 7}};
    expected = "create routes -> 10.1.0.0/16 via 10.0.0.9 metric 7";
  }
  SECTION("IPv6 route without a metric: the kernel's") {
    spec.routes = {{"::/0", "fd00::1", 0}};
    expected = "create routes -> default via fd00::1 metric 1024";
  }
  SECTION("mtu") {
    spec.mtu = 1400;
    expected = "update mtu 1500 -> 1400";
  }
  SECTION("down: addresses and routes wait") {
    spec.state = link_state::down;
    spec.addresses = {"10.0.0.3/24"};
    spec.routes = {{"10.1.0.0/16", "", 0}};
    expected = "update state up -> down";
  }
  CHECK(w.planned() == expected);
}

TEST_CASE("network plan: link to be made -> created with all its fields") {
  network_world w;
  auto& spec = w.want.spec;
  spec.link = "x0";
  spec.addresses = {"10.9.0.1/24"};
  std::string link;
  SECTION("dummy") {
    spec.type = link_type::dummy;
    link = "dummy x0, create addresses -> 10.9.0.1/24, update state down -> up";
  }
  SECTION("bridge") {
    spec.type = link_type::bridge;
    spec.members = {"eth1"};
    link = "bridge x0, create addresses -> 10.9.0.1/24, create members -> eth1, update state down "
           "-> up";
  }
  SECTION("vlan") {
    spec.type = link_type::vlan;
    spec.parent = "eth0";
    spec.vlan_id = 7;
    spec.mtu = 1400;
    link = "vlan x0, create addresses -> 10.9.0.1/24, update mtu -> 1400, update state down -> up";
  }
  CHECK(w.planned() == "create link -> " + link);
}

TEST_CASE("network plan: what cannot be -> its own reason") {
  network_world w;
  auto& spec = w.want.spec;
  std::string reason;
  SECTION("physical link that is not there") {
    spec.link = "eth7";
    reason = "LinkNotFound";
  }
  SECTION("dummy of a name that is somebody else's") {
    spec.type = link_type::dummy;
    reason = "NameConflict";
  }
  SECTION("parent that is not there") {
    spec = {"v7", link_type::vlan, "eth7", 7, {}, {}, {}, {}, {}, {}};
    reason = "LinkNotFound";
  }
  SECTION("member that is not there") {
    spec = {"br0", link_type::bridge, {}, 0, {"eth7"}, {}, {}, {}, {}, {}};
    reason = "LinkNotFound";
  }
  SECTION("member of another bridge") {
    w.net.links["br1"] = {"bridge", "", 0, "", true, true, 1500, {}, {}};
    w.net.links["eth1"].master = "br1";
    spec = {"br0", link_type::bridge, {}, 0, {"eth1"}, {}, {}, {}, {}, {}};
    reason = "NameConflict";
  }
  SECTION("route to a host in its network") {
    spec.routes = {{"10.1.2.3/16", "", 0}};
    reason = "InvalidSpec";
  }
  SECTION("route over a gateway of the other IP version") {
    spec.routes = {{"10.1.0.0/16", "fd00::1", 0}};
    reason = "InvalidSpec";
  }
  CHECK(w.planned() == reason);
  CHECK(w.net.calls.empty());
}

TEST_CASE("network plan: other VLAN number or parent -> the agent's own link is replaced") {
  network_world w;
  w.want.spec = {"v7", link_type::vlan, "eth0", 7, {}, {}, {}, {"10.7.0.1/24"}, {}, {}};
  w.net.links["eth0"].up = true;
  check_ok(w.converge());
  CHECK(w.planned().empty());
  w.want.spec.vlan_id = 8;
  CHECK(w.planned()
        == "replace link vlan 7 on eth0 -> vlan 8 on eth0, create addresses -> 10.7.0.1/24, update "
           "state down -> up");
  w.net.links["v7"].addresses.push_back({"10.7.0.99/24", true}); // somebody's own
  check_ok(w.converge());
  CHECK(w.planned().empty());
  CHECK(w.net.links["v7"].vlan_id == 8);
  CHECK(w.addresses("v7") == "10.7.0.1/24 10.7.0.99/24");
}

TEST_CASE("network plan: report -> the link as it is") {
  network_world w;
  auto ctx = w.context();
  network_reconciler<network_topology> agent{w.device, w.config};
  auto seen = agent.observe(w.want, ctx);
  REQUIRE(seen.ok());
  CHECK(std::get<network_status>(agent.report(*seen))
        == network_status{true, true, true, 1500, {"10.0.0.2/24"}});
  w.want.spec.link = "none";
  seen = agent.observe(w.want, ctx);
  REQUIRE(seen.ok());
  CHECK(std::get<network_status>(agent.report(*seen)) == network_status{});
}

} // namespace harmony::test
