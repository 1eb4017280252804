#include <sstream>

#include "unit/reconcilers/network_world.hpp"
#include "unit/reconcilers/plan_table.hpp"

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

struct network_case {
  desired<network_spec> want{{"Network", "n"}, {}, {}, {}};
  network_observed seen;

  network_case() {
    want.spec.link = "eth0";
    seen.link = link_facts{"", "", 0, "", true, true, 1500, {}, {}};
  }
};

network_route route_of(const std::string& text) {
  std::istringstream in{text};
  network_route r;
  in >> r.to;
  for (std::string word; in >> word;)
    word == "via" ? in >> r.via : in >> r.metric;
  return r;
}

/// As the kernel lists it.
link_route there(const std::string& route) {
  return {canonical_route(route_of(route)).value(), 4};
}

vocabulary<network_case> network_now() {
  const auto made = [](const char* kind) {
    return [=](network_case& it, const std::string&) {
      it.seen.link->kind = it.seen.record.kind = kind;
      it.seen.created = true;
    };
  };
  return {
    {"in place", [](network_case&, const std::string&) {}},
    {"no link", [](network_case& it, const std::string&) { it.seen.link.reset(); }},
    {"down", [](network_case& it, const std::string&) { it.seen.link->up = false; }},
    {"address ",
     [](network_case& it, const std::string& value) {
       it.seen.link->addresses.push_back({value, true});
     }},
    {"address by DHCP ",
     [](network_case& it, const std::string& value) {
       it.seen.link->addresses.push_back({value, false});
     }},
    {"own address ",
     [](network_case& it, const std::string& value) {
       it.seen.link->addresses.push_back({value, true});
       it.seen.record.own.addresses.push_back(value);
     }},
    {"route ", [](network_case& it,
                  const std::string& value) { it.seen.link->routes.push_back(there(value)); }},
    {"own route ",
     [](network_case& it, const std::string& value) {
       it.seen.link->routes.push_back(there(value));
       it.seen.record.own.routes.push_back(there(value).route);
     }},
    {"own bridge", made("bridge")},
    {"own dummy", made("dummy")},
    {"foreign dummy", [](network_case& it, const std::string&) { it.seen.link->kind = "dummy"; }},
    {"own vlan ",
     [=](network_case& it, const std::string& value) {
       made("vlan")(it, {});
       it.seen.link->vlan_id = static_cast<std::uint16_t>(std::stoul(value));
       it.seen.link->parent = "eth1";
     }},
    {"member ",
     [](network_case& it, const std::string& value) { it.seen.members.push_back(value); }},
    {"own member ",
     [](network_case& it, const std::string& value) {
       it.seen.members.push_back(value);
       it.seen.record.own.members.push_back(value);
     }},
    {"eth1 is missing",
     [](network_case& it, const std::string&) { it.seen.others["eth1"] = std::nullopt; }},
    {"eth1 in br1",
     [](network_case& it, const std::string&) {
       it.seen.others["eth1"] = link_facts{"", "", 0, "br1", true, true, 1500, {}, {}};
     }},
    {"unconfirmed change",
     [](network_case& it, const std::string&) { it.seen.record.trial = network_trial{}; }},
    {"boot file missing",
     [](network_case& it, const std::string&) {
       it.seen.boot.push_back({"/etc/n/eth0", "wanted", {}, false});
     }},
    {"boot file edited",
     [](network_case& it, const std::string&) {
       it.seen.boot.push_back({"/etc/n/eth0", "wanted", "other", false});
     }},
    {"boot file left over",
     [](network_case& it, const std::string&) {
       it.seen.boot.push_back({"/etc/n/eth0", {}, "other", false});
     }},
    {"boot file of somebody else",
     [](network_case& it, const std::string&) {
       it.seen.boot.push_back({"/etc/n/eth0", "wanted", "other", true});
     }},
  };
}

vocabulary<network_case> network_wanted() {
  const auto type = [](link_type is) {
    return [is](network_case& it, const std::string&) { it.want.spec.type = is; };
  };
  return {
    {"the same", [](network_case&, const std::string&) {}},
    {"address ",
     [](network_case& it, const std::string& value) { it.want.spec.addresses.push_back(value); }},
    {"route ", [](network_case& it,
                  const std::string& value) { it.want.spec.routes.push_back(route_of(value)); }},
    {"mtu ",
     [](network_case& it, const std::string& value) {
       it.want.spec.mtu = static_cast<std::uint32_t>(std::stoul(value));
     }},
    {"down", [](network_case& it, const std::string&) { it.want.spec.state = link_state::down; }},
    {"dummy", type(link_type::dummy)},
    {"bridge", type(link_type::bridge)},
    {"member ",
     [](network_case& it, const std::string& value) { it.want.spec.members.push_back(value); }},
    {"vlan ",
     [](network_case& it, const std::string& value) {
       it.want.spec.type = link_type::vlan;
       it.want.spec.vlan_id = static_cast<std::uint16_t>(std::stoul(value));
       it.want.spec.parent = "eth1";
     }},
  };
}

} // namespace

TEST_CASE("network plan: the table in docs/reconcilers/network.md -> the planner's answers") {
  check_plans<network_case>(
    "network", {}, network_now(), network_wanted(),
    [](const network_case& it) { return network_operations::plan(it.want, it.seen); });
}

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
