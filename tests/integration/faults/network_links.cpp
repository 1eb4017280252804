// Links of the kernel, and what sets them up at boot.

#include "device_facts.hpp"
#include "scenario.hpp"
#include "support/shell.hpp"

namespace harmony::test {

namespace {

const std::string boot_files = "/etc/systemd/network";

class network_scenario final : public scenario {
public:
  network_scenario() {
    shell("ip link add mport0 type veth peer name mfar0 && ip link set mfar0 up; "
          "ip link add mport1 type veth peer name mfar1 && ip link set mfar1 up && "
          "ip address add 10.96.0.9/24 dev mport1");
  }
  ~network_scenario() override {
    shell("ip link delete mport0; ip link delete mport1; ip link delete mbridge; rm -f "
          + boot_files + "/70-harmony-*; true");
  }

  [[nodiscard]] std::string resources(unsigned generation) const override {
    if (generation >= last_generation)
      return {};
    const bool first = generation == 1;
    const std::string n = first ? "1" : "2";
    return resource_json("Network", "bridge",
                         R"("link":"mbridge","type":"bridge","members":["mport0"],"mtu":1400,)"
                         R"("addresses":["10.98.0.)"
                           + n
                           + R"(/24","10.97.0.1/24"],)"
                             R"("routes":[{"to":"10.95.)"
                           + n + R"(.0/24","via":"10.97.0.77","metric":50}],"confirmSeconds":20)")
           + ","
           + resource_json("Network", "port",
                           R"("link":"mport1","addresses":["10.96.)" + n
                             + R"(.1/24"],)"
                               R"("confirmSeconds":)"
                             + (first ? "20" : "0"));
  }

private:
  static std::string addresses_of(const std::string& link) {
    return sorted(shell("ip -o -4 address show dev " + link + " 2>/dev/null | awk '{print $4}'"));
  }
  static std::string property(const std::string& link, const std::string& name) {
    return shell("cat /sys/class/net/" + link + "/" + name + " 2>/dev/null");
  }

  void check(unsigned generation) override {
    const bool last = generation >= last_generation;
    const auto n = std::to_string(generation);
    expect("addresses of mbridge", last ? "" : lines_of({"10.98.0." + n + "/24", "10.97.0.1/24"}),
           addresses_of("mbridge"));
    // Its other address is somebody else's.
    expect("addresses of mport1",
           last ? "10.96.0.9/24\n" : lines_of({"10.96.0.9/24", "10.96." + n + ".1/24"}),
           addresses_of("mport1"));
    expect("routes", last ? "" : "10.95." + n + ".0/24\n",
           sorted(shell("ip -4 route show | awk '/^10.95/ {print $1}'")));
    expect("master of mport0", last ? "" : "mbridge",
           shell("basename $(readlink /sys/class/net/mport0/master) 2>/dev/null"));
    // networkd's files cannot say which ports are the bridge's, so that has none.
    expect("boot files", last ? "" : "70-harmony-mport1.network\n", tree_of(boot_files));
    if (last) {
      expect("index of mbridge", "", property("mbridge", "ifindex"));
      return;
    }
    expect("MTU of mbridge", "1400", property("mbridge", "mtu"));
    expect_kept("index of mbridge", property("mbridge", "ifindex"));
  }
};

} // namespace

scenario_kind network_links() {
  return {
    "network",
    {"network.", "unit-file."},
    // As if networkd ran: it would be asked to bring the links up at boot.
    [] { must("mkdir -p /run/systemd/netif " + boot_files + " && : >/run/systemd/netif/state"); },
    [] { return std::make_unique<network_scenario>(); }};
}

} // namespace harmony::test
