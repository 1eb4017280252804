#pragma once

// A kernel's network in memory, a store that can be cut off, and a clock that only moves when it is
// told to.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reconcilers/network.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"
#include "topology/network_address.hpp"

namespace harmony::test {

/// Thrown where a test kills the agent.
struct killed {};

class fake_network final : public network_port {
public:
  network_snapshot links;
  std::function<void(const std::string& call)> before = [](const std::string&) {};
  std::string refuses; ///< a call that fails with network_failed
  std::string loses;   ///< the making of a link that fails so although it is done
  std::vector<std::string> calls;

  outcome<network_snapshot> snapshot() override { return links; }

  outcome<void> make_link(const new_link& what) override {
    if (auto may = note("make " + what.name); !may)
      return may;
    if (links.count(what.name) != 0)
      return {ec::name_conflict, "there already"};
    links[what.name] = {what.kind, what.parent, what.vlan_id, {}, false, false, 1500, {}, {}};
    if (calls.back() == loses)
      return {ec::network_failed, "no answer"};
    return {};
  }
  outcome<void> delete_link(const std::string& link) override {
    if (auto may = note("delete " + link); !may)
      return may;
    links.erase(link);
    for (auto& [name, other] : links)
      if (other.master == link)
        other.master.clear();
    return {};
  }
  outcome<void> set_link(const std::string& link, const link_settings& s) override {
    const auto what = s.up ? (*s.up ? " up" : " down") : s.mtu ? " mtu" : " master " + *s.master;
    if (auto may = note("set " + link + what); !may)
      return may;
    auto& l = links.at(link);
    l.up = s.up.value_or(l.up);
    l.mtu = s.mtu.value_or(l.mtu);
    l.master = s.master.value_or(l.master);
    if (!l.up)
      l.routes.clear();
    return {};
  }
  outcome<void> add_address(const std::string& link, const std::string& cidr) override {
    if (auto may = note("add " + cidr); !may)
      return may;
    links.at(link).addresses.push_back({cidr, true});
    return {};
  }
  outcome<void> remove_address(const std::string& link, const std::string& cidr) override {
    if (auto may = note("remove " + cidr); !may)
      return may;
    std::erase_if(links.at(link).addresses, [&](const auto& a) { return a.cidr == cidr; });
    return {};
  }
  outcome<void> add_route(const std::string& link, const link_route& r) override {
    if (auto may = note("add " + describe(r.route)); !may)
      return may;
    links.at(link).routes.push_back(r);
    return {};
  }
  outcome<void> remove_route(const std::string& link, const network_route& r) override {
    if (auto may = note("remove " + describe(r)); !may)
      return may;
    std::erase_if(links.at(link).routes, [&](const auto& each) { return each.route == r; });
    return {};
  }

private:
  outcome<void> note(const std::string& call) {
    before(call);
    calls.push_back(call);
    if (call == refuses)
      return {ec::network_failed, "cannot " + call};
    return {};
  }
};

/// Reached while `rule` says so; each question takes a second of the clock.
class fake_commander final : public connectivity {
public:
  std::function<bool()> rule = [] { return true; };
  std::chrono::milliseconds* now = nullptr;
  int asked = 0;

  bool reachable(std::chrono::steady_clock::time_point) override {
    ++asked;
    *now += std::chrono::seconds{1};
    return rule();
  }
};

struct network_topology {
  fake_network port;
  fake_commander store;
  fake_network& network() { return port; }
  fake_commander& commander() { return store; }
};

/// A device with eth0 (up, 10.0.0.2/24 by hand, default route) and eth1 (down).
struct network_world {
  network_topology device;
  fake_network& net = device.port;
  memory_inventory owned;
  temp_dir root;
  std::string boot = "boot-1";
  std::chrono::milliseconds now{1'000'000};
  std::stop_source stop;
  network_config config;
  desired<network_spec> want{{"Network", "n"}, {}, {}, {}};

  network_world() {
    config.clock = {[this] { return boot; }, [this] { return now; }};
    config.root = root.path();
    config.pause = std::chrono::milliseconds{0};
    device.store.now = &now;
    net.links["eth0"] = {
      "", "", 0, "", true, true, 1500, {{"10.0.0.2/24", true}}, {{{"default", "10.0.0.1", 0}, 16}}};
    net.links["eth1"] = {"", "", 0, "", false, false, 1500, {}, {}};
    want.spec.link = "eth0";
  }

  op_context context() {
    return {"pi-1", owned, stop.get_token(),
            std::chrono::steady_clock::now() + std::chrono::minutes{10}};
  }

  outcome<std::vector<change>> plan() {
    auto ctx = context();
    network_reconciler<network_topology> agent{device, config};
    const auto seen = agent.observe(want, ctx);
    if (!seen)
      return seen.error();
    return agent.plan(want, *seen);
  }

  /// One look and, where something differs, one apply, by an agent that has just started.
  outcome<void> converge() {
    const auto todo = plan();
    if (!todo)
      return todo.error();
    if (todo->empty())
      return {};
    auto ctx = context();
    network_reconciler<network_topology> agent{device, config};
    return agent.apply(want, *todo, ctx);
  }

  outcome<void> remove() {
    auto ctx = context();
    network_reconciler<network_topology> agent{device, config};
    for (const auto& record : owned.of(want.id))
      if (auto done = agent.remove(record, ctx); !done)
        return done;
    return {};
  }

  /// "create addresses 10.0.0.3/24, …"
  std::string planned() {
    const auto todo = plan();
    if (!todo)
      return std::string{reason_of(todo.error().code)};
    std::string text;
    for (const auto& c : *todo)
      text += (text.empty() ? "" : ", ") + std::string{name_of(c.what)} + " " + c.field
              + (c.from.empty() ? "" : " " + c.from) + (c.to.empty() ? "" : " -> " + c.to);
    return text;
  }

  std::string addresses(const std::string& link = "eth0") {
    std::string text;
    for (const auto& a : address_texts(net.links.at(link), false))
      text += (text.empty() ? "" : " ") + a;
    return text;
  }

  network_record record() {
    const auto found = owned.find(want.id, want.spec.link);
    return found ? from_note(found->note) : network_record{};
  }

  bool is_recorded() { return owned.find(want.id, want.spec.link).has_value(); }
};

inline void check_code(const outcome<void>& done, ec code) {
  REQUIRE_FALSE(done.ok());
  INFO(done.error().message);
  CHECK(reason_of(done.error().code) == reason_of(code));
}

} // namespace harmony::test
