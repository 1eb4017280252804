#include "unit/reconcilers/network_world.hpp"

namespace harmony::test {

TEST_CASE("network: own address leaves the spec -> removed; addresses of others stay") {
  network_world w;
  w.want.spec.addresses = {"10.0.0.2/24", "10.0.0.3/24"};
  check_ok(w.converge());
  CHECK(w.record().own.addresses == std::vector<std::string>{"10.0.0.3/24"});
  w.net.links["eth0"].addresses.push_back({"192.168.1.5/24", false}); // a lease
  w.want.spec.addresses = {"10.0.0.4/24"};
  CHECK(w.planned() == "create addresses -> 10.0.0.4/24, remove addresses 10.0.0.3/24");
  check_ok(w.converge());
  CHECK(w.addresses() == "10.0.0.2/24 192.168.1.5/24 10.0.0.4/24");
  CHECK(w.record().own.addresses == std::vector<std::string>{"10.0.0.4/24"});
  check_ok(w.remove());
  CHECK(w.addresses() == "10.0.0.2/24 192.168.1.5/24");
  CHECK_FALSE(w.is_recorded());
  CHECK(w.net.links.count("eth0") == 1);
}

TEST_CASE("network: own route changes its gateway -> replaced; routes of others stay") {
  network_world w;
  w.want.spec.routes = {{"10.1.0.0/16", "10.0.0.8", 0}};
  check_ok(w.converge());
  w.want.spec.routes = {{"10.1.0.0/16", "10.0.0.9", 0}};
  check_ok(w.converge());
  CHECK(w.planned().empty());
  CHECK(plain_routes(w.net.links["eth0"])
        == std::vector<network_route>{{"default", "10.0.0.1", 0}, {"10.1.0.0/16", "10.0.0.9", 0}});
  check_ok(w.remove());
  CHECK(plain_routes(w.net.links["eth0"])
        == std::vector<network_route>{{"default", "10.0.0.1", 0}});
}

TEST_CASE("network: gateway before the route that it needs -> added after it") {
  network_world w;
  w.want.spec.routes = {{"10.2.0.0/16", "10.1.0.1", 0}, {"10.1.0.0/16", "", 0}};
  check_ok(w.converge());
  CHECK(w.net.calls == std::vector<std::string>{"add 10.1.0.0/16", "add 10.2.0.0/16 via 10.1.0.1"});
}

TEST_CASE("network: bridge with members -> made, changed, removed with its members kept") {
  network_world w;
  w.want.spec = {"br0", link_type::bridge, {}, 0, {"eth1"}, {}, {}, {"10.5.0.1/24"}, {}, {}};
  check_ok(w.converge());
  CHECK(w.net.links["eth1"].master == "br0");
  CHECK(w.planned().empty());
  w.net.links["eth9"] = {"veth", "", 0, "br0", true, true, 1500, {}, {}}; // somebody's own
  w.want.spec.members = {};
  CHECK(w.planned() == "remove members eth1");
  check_ok(w.converge());
  CHECK(w.net.links["eth1"].master.empty());
  CHECK(w.net.links["eth9"].master == "br0");
  check_ok(w.remove());
  CHECK(w.net.links.count("br0") == 0);
  CHECK(w.net.links.count("eth1") == 1);
  check_ok(w.remove());
}

TEST_CASE("network: made link deleted by hand -> made again, and removed though it is gone") {
  network_world w;
  w.want.spec = {"d0", link_type::dummy, {}, 0, {}, {}, {}, {"10.5.0.1/24"}, {}, {}};
  check_ok(w.converge());
  w.net.links.erase("d0");
  check_ok(w.converge());
  CHECK(w.addresses("d0") == "10.5.0.1/24");
  w.net.links.erase("d0");
  check_ok(w.remove());
  CHECK_FALSE(w.is_recorded());
}

TEST_CASE("network: link of another kind in the place of a made one -> conflict, left on removal") {
  network_world w;
  w.want.spec = {"d0", link_type::dummy, {}, 0, {}, {}, {}, {}, {}, {}};
  check_ok(w.converge());
  w.net.links["d0"].kind = "bridge";
  CHECK(w.planned() == "NameConflict");
  check_ok(w.remove());
  CHECK(w.net.links.count("d0") == 1);
}

TEST_CASE("network: kernel refuses to make the link -> failed, nothing claimed") {
  network_world w;
  w.want.spec = {"d0", link_type::dummy, {}, 0, {}, {}, {}, {}, {}, {}};
  w.net.refuses = "make d0";
  check_code(w.converge(), ec::network_failed);
  CHECK_FALSE(w.is_recorded());
  w.net.links["d0"] = {"dummy", "", 0, "", true, true, 1500, {}, {}}; // somebody's own
  CHECK(w.planned() == "NameConflict");
}

TEST_CASE("network: link is made and the answer lost -> it is the agent's") {
  network_world w;
  w.want.spec = {"d0", link_type::dummy, {}, 0, {}, {}, {}, {}, {}, {}};
  w.net.loses = "make d0";
  check_ok(w.converge());
  CHECK(w.is_recorded());
  CHECK(w.planned().empty());
}

TEST_CASE("network: drift of each field -> put back") {
  network_world w;
  w.want.spec.addresses = {"10.0.0.3/24"};
  w.want.spec.routes = {{"10.1.0.0/16", "10.0.0.9", 0}};
  w.want.spec.mtu = 1400;
  check_ok(w.converge());
  auto& link = w.net.links["eth0"];
  const auto good = link;
  SECTION("address") {
    std::erase_if(link.addresses, [](auto& a) { return a.cidr == "10.0.0.3/24"; });
  }
  SECTION("routes") {
    std::erase_if(link.routes, [](auto& r) { return r.route.to != "default"; });
  }
  SECTION("mtu") {
    link.mtu = 9000;
  }
  SECTION("state") {
    link.up = false;
  }
  CHECK_FALSE(w.planned().empty());
  check_ok(w.converge());
  CHECK(w.planned().empty());
  CHECK(link == good);
}

TEST_CASE("network: another resource owns the link -> conflict, nothing touched") {
  network_world w;
  check_ok(w.owned.claim({{"Network", "other"}, "eth0", false, {}}));
  w.want.spec.mtu = 1400;
  check_code(w.converge(), ec::name_conflict);
  CHECK(w.net.calls.empty());
}

TEST_CASE(
  "network: killed before any step -> the next agents converge, own the same, and clean up") {
  const auto declare = [](network_spec& spec) {
    spec = {"v7", link_type::vlan, "eth0", 7, {}, {}, 1400, {"10.7.0.1/24", "fd07::1/64"}, {}, 60};
    spec.routes = {{"10.8.0.0/16", "10.7.0.9", 0}};
  };
  for (int kill_at = 0;; ++kill_at) {
    network_world w;
    declare(w.want.spec);
    int step = 0;
    const auto maybe_die = [&] {
      if (step++ == kill_at)
        throw killed{};
    };
    w.net.before = [&](const std::string&) { maybe_die(); };
    w.owned.before = [&](const char*) {
      maybe_die();
      return outcome<void>{};
    };
    bool died = false;
    try {
      check_ok(w.converge());
    } catch (const killed&) {
      died = true;
    }
    step = kill_at + 1; // no more
    if (!died) {
      CHECK(kill_at >= 8);
      break;
    }
    INFO("killed at step " << kill_at);
    for (int i = 0; i < 3 && !w.planned().empty(); ++i)
      check_ok(w.converge());
    CHECK(w.planned().empty());
    CHECK_FALSE(w.record().trial);
    CHECK(w.record().own.addresses == std::vector<std::string>{"10.7.0.1/24", "fd07::1/64"});
    check_ok(w.remove());
    CHECK(w.net.links.count("v7") == 0);
    CHECK_FALSE(w.is_recorded());
  }
}

TEST_CASE(
  "network: device with networkd -> boot file only of what was confirmed, gone on removal") {
  network_world w;
  const auto path = w.root / "etc/systemd/network/70-harmony-eth0.network";
  write_file(w.root / "run/systemd/netif/state", "");
  CHECK(w.planned().empty()); // nothing is owned: somebody else takes care of it
  w.want.spec.mtu = 1400;
  bool early = false;
  w.device.store.rule = [&] {
    early = early || std::filesystem::exists(path);
    return w.device.store.asked < 2;
  };
  check_code(w.converge(), ec::network_reverted);
  CHECK_FALSE(early);
  CHECK_FALSE(std::filesystem::exists(path));
  w.device.store.rule = [] { return true; };
  check_ok(w.converge());
  CHECK(read_file(path).find("MTUBytes=1400") != std::string::npos);
  CHECK(w.planned().empty());
  write_file(path, read_file(path) + "# edited\n");
  CHECK(w.planned() == "update bootFile -> " + path.string());
  const auto calls = w.net.calls;
  check_ok(w.converge());
  CHECK(w.net.calls == calls);
  CHECK(w.planned().empty());
  check_ok(w.remove());
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("network: note that is damaged -> nothing is taken away by it") {
  network_world w;
  check_ok(w.owned.claim({w.want.id, "eth0", false, "{ not json"}));
  w.want.spec.addresses = {"10.0.0.3/24"};
  check_ok(w.converge());
  check_ok(w.remove());
  CHECK(w.addresses() == "10.0.0.2/24");
}

TEST_CASE("network: note -> the same record when it is read") {
  network_record r{"vlan", {{"10.0.0.1/24"}, {{"default", "10.0.0.9", 3}}, {"eth1"}}, {}};
  CHECK(from_note(to_note(r)) == r);
  r.trial = network_trial{"boot", std::chrono::milliseconds{5}, "mtu", {}, {"eth2"}, {}, true};
  CHECK(from_note(to_note(r)) == r);
  r.trial->before = link_facts{"vlan",
                               "eth0",
                               7,
                               "br0",
                               true,
                               false,
                               1400,
                               {{"fd00::1/64", true}},
                               {{{"default", "fd00::2", 1024}, 3, "fd00::1", true}}};
  CHECK(from_note(to_note(r)) == r);
}

TEST_CASE("network: link names that are not UTF-8 -> still a note") {
  network_record r;
  r.own = {{"10.0.0.1/24"}, {}, {"eth\xff"}};
  CHECK(from_note(to_note(r)).own.addresses == r.own.addresses);
}

} // namespace harmony::test
