#include "topology/network_boot_files.hpp"

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

const std::string marker = "# Managed by harmony-agent: agent=a resource=Network/n\n";

/// A device's root, with a link eth0 of index 2.
struct device_root {
  temp_dir root;
  network_boot_files files{root.path()};
  network_spec spec;

  device_root() {
    write_file(root / "sys/class/net/eth0/ifindex", "2\n");
    spec.link = "eth0";
    spec.mtu = 1400;
    spec.addresses = {"10.0.0.2/24", "fd00::2/64"};
    spec.routes = {{"default", "10.0.0.1", 0}, {"10.9.0.0/16", "", 7}, {"::/0", "fd00::1", 0}};
  }
  void use_networkd(const std::string& link_state) {
    write_file(root / "run/systemd/netif/state", "OPER_STATE=routable\n");
    write_file(root / "run/systemd/netif/links/2", "# Private\n" + link_state);
  }
  void use_ifupdown(const std::string& interfaces) {
    write_file(root / "usr/sbin/ifup", "");
    write_file(root / "etc/network/interfaces.d/other", "");
    write_file(root / "etc/network/interfaces", interfaces);
  }
  std::vector<boot_file> look() { return files.look("eth0", &spec, marker).value(); }
  /// Names of the files that should be there.
  std::string wanted() {
    std::string names;
    for (const auto& f : look())
      if (f.wanted)
        names += f.path.filename().string() + " ";
    return names;
  }
};

const std::string sourced = "source /etc/network/interfaces.d/*\n";

} // namespace

TEST_CASE("network boot files: what the device uses -> whose files are written") {
  device_root d;
  CHECK(d.wanted().empty());
  SECTION("networkd that leaves the link alone, or has this agent's file") {
    d.use_networkd("ADMIN_STATE=unmanaged\n");
    CHECK(d.wanted() == "70-harmony-eth0.network ");
    d.use_networkd("ADMIN_STATE=configured\nNETWORK_FILE=/etc/x/70-harmony-eth0.network\n");
    CHECK(d.wanted() == "70-harmony-eth0.network ");
    d.spec.type = link_type::dummy;
    CHECK(d.wanted() == "70-harmony-eth0.netdev 70-harmony-eth0.network ");
    d.spec.type = link_type::bridge;
    d.spec.members = {"eth1"};
    CHECK(d.wanted().empty());
    d.spec.type = link_type::vlan;
    CHECK(d.wanted().empty());
  }
  SECTION("networkd with somebody else's file for the link") {
    d.use_networkd("ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-lan.network\n");
    CHECK(d.wanted().empty());
    d.use_networkd("ADMIN_STATE=a-word-of-the-future\n");
    CHECK(d.wanted().empty());
  }
  SECTION("ifupdown") {
    d.use_ifupdown(sourced);
    CHECK(d.wanted() == "harmony-eth0 ");
    d.spec.type = link_type::vlan;
    CHECK(d.wanted() == "harmony-eth0 ");
  }
  SECTION("ifupdown that does not read the folder, or has the link already") {
    d.use_ifupdown("auto lo\n");
    CHECK(d.wanted().empty());
    d.use_ifupdown(sourced + "iface eth0 inet dhcp\n");
    CHECK(d.wanted().empty());
    d.use_ifupdown(sourced);
    write_file(d.root / "etc/network/interfaces.d/site", "  iface eth0 inet static\n");
    CHECK(d.wanted().empty());
  }
}

TEST_CASE("network boot files: networkd -> its own words for each field") {
  device_root d;
  d.use_networkd("ADMIN_STATE=unmanaged\n");
  d.spec.type = link_type::dummy;
  const auto files = d.look();
  CHECK(files[0].wanted == marker + "[NetDev]\nName=eth0\nKind=dummy\nMTUBytes=1400\n");
  CHECK(files[1].wanted
        == marker
             + "[Match]\nName=eth0\n\n[Link]\nActivationPolicy=up\nRequiredForOnline=no\n"
               "MTUBytes=1400\n\n[Network]\nConfigureWithoutCarrier=yes\nAddress=10.0.0.2/24\n"
               "Address=fd00::2/64\n\n[Route]\nDestination=0.0.0.0/0\nGateway=10.0.0.1\nMetric=0\n"
               "\n[Route]\nDestination=10.9.0.0/16\nScope=link\nMetric=7\n\n[Route]\n"
               "Destination=::/0\nGateway=fd00::1\nMetric=1024\n");
}

TEST_CASE("network boot files: ifupdown -> a stanza that makes and configures the link") {
  device_root d;
  d.use_ifupdown(sourced);
  d.spec.type = link_type::bridge;
  d.spec.members = {"eth1"};
  CHECK(d.look()[2].wanted
        == marker
             + "auto eth0\niface eth0 inet manual\n"
               "    pre-up ip link add eth0 type bridge || true\n"
               "    pre-up ip link set dev eth1 master eth0 || true\n"
               "    pre-up ip link set dev eth0 mtu 1400\n"
               "    up ip link set dev eth0 up\n"
               "    up ip address replace 10.0.0.2/24 dev eth0\n"
               "    up ip address replace fd00::2/64 dev eth0\n"
               "    up ip route replace default via 10.0.0.1 dev eth0\n"
               "    up ip route replace 10.9.0.0/16 dev eth0 metric 7\n"
               "    up ip -6 route replace default via fd00::1 dev eth0 metric 1024\n");
  d.spec = {};
  d.spec.link = "eth0";
  d.spec.type = link_type::vlan;
  d.spec.parent = "eth1";
  d.spec.vlan_id = 7;
  d.spec.state = link_state::down;
  CHECK(d.look()[2].wanted
        == marker
             + "auto eth0\niface eth0 inet manual\n"
               "    pre-up ip link add link eth1 name eth0 type vlan id 7 || true\n"
               "    post-up ip link set dev eth0 down\n");
}

TEST_CASE("network boot files: put -> written, rewritten, removed; somebody else's is left alone") {
  device_root d;
  d.use_networkd("ADMIN_STATE=unmanaged\n");
  const auto path = d.root / "etc/systemd/network/70-harmony-eth0.network";
  REQUIRE(network_boot_files::put(d.look()).ok());
  CHECK(read_file(path).rfind(marker, 0) == 0);
  for (const auto& f : d.look())
    CHECK_FALSE(f.differs());
  d.spec.mtu = 1300;
  CHECK(d.look()[1].differs());
  REQUIRE(network_boot_files::put(d.look()).ok());
  CHECK(read_file(path).find("MTUBytes=1300") != std::string::npos);
  REQUIRE(network_boot_files::put(d.files.look("eth0", nullptr, marker).value()).ok());
  CHECK_FALSE(std::filesystem::exists(path));

  write_file(path, "[Match]\nName=eth0\n");
  CHECK(d.look()[1].foreign);
  CHECK_FALSE(d.look()[1].differs());
  REQUIRE(network_boot_files::put(d.look()).ok());
  CHECK(read_file(path) == "[Match]\nName=eth0\n");
}

} // namespace harmony::test
