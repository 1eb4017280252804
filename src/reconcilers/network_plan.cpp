#include "reconcilers/network.hpp"

#include <algorithm>

#include "topology/network_address.hpp"

namespace harmony {

namespace {

/// The plan in the making.
class planner {
public:
  planner(const desired<network_spec>& want, const network_observed& seen)
    : spec_(want.spec), seen_(seen) {}

  outcome<std::vector<change>> run() {
    for (auto step :
         {&planner::check_link, &planner::check_others, &planner::addresses, &planner::routes})
      if (auto fine = (this->*step)(); !fine)
        return fine.error();
    members();
    settings();
    for (const auto& file : seen_.boot)
      if (file.differs())
        add(!file.wanted ? action::remove
            : file.found ? action::update
                         : action::create,
            "bootFile", {}, file.path.string());
    return std::move(todo_);
  }

private:
  void add(action what, const char* field, std::string from, std::string to) {
    todo_.push_back({what, field, std::move(from), std::move(to)});
  }

  outcome<void> check_link() {
    const auto kind = made_kind(spec_.type);
    if (!seen_.link) {
      if (kind.empty())
        return {ec::link_not_found,
                "the device has no link '" + spec_.link
                  + "': check its name with `ip link`; it is taken up when it comes"};
      add(action::create, "link", {}, kind + " " + spec_.link);
      return {};
    }
    if (kind.empty())
      return {};
    if (!seen_.created || seen_.record.kind != seen_.link->kind)
      return {ec::name_conflict, "a link '" + spec_.link
                                   + "' is there and is not this agent's: remove it with `ip link "
                                     "delete`, or use another name"};
    if (is_other(*seen_.link, {spec_.link, kind, spec_.parent, spec_.vlan_id}))
      add(action::replace, "link", describe_link(*seen_.link),
          describe_link({kind, spec_.parent, spec_.vlan_id, {}, {}, {}, {}, {}, {}}));
    return {};
  }

  static std::string describe_link(const link_facts& l) {
    return l.kind != "vlan" ? l.kind : "vlan " + std::to_string(l.vlan_id) + " on " + l.parent;
  }

  outcome<void> check_others() {
    for (const auto& [name, facts] : seen_.others) {
      const bool parent = name == spec_.parent;
      if (!facts)
        return {ec::link_not_found, "the device has no link '" + name + "', which '" + spec_.link
                                      + (parent ? "' lies on" : "' is to have as a member")};
      if (!parent && !facts->master.empty() && facts->master != spec_.link)
        return {ec::name_conflict, "'" + name + "' is a member of '" + facts->master
                                     + "': take it out of there first"};
    }
    return {};
  }

  /// Whether addresses and routes are looked at: a link that is down has no routes, and the kernel
  /// drops its IPv6 addresses.
  [[nodiscard]] bool up() const { return spec_.state == link_state::up; }

  /// Whether the link will be new: nothing of what is on it now counts.
  [[nodiscard]] bool fresh() const {
    return !seen_.link || (!todo_.empty() && todo_.front().what == action::replace);
  }

  outcome<void> addresses() {
    std::vector<std::string> wanted;
    for (const auto& text : spec_.addresses) {
      auto address = canonical_address(text);
      if (!address)
        return address.error();
      wanted.push_back(std::move(*address));
    }
    const auto there = fresh() ? std::vector<std::string>{} : address_texts(*seen_.link, false);
    if (up())
      for (const auto& a : without(united({}, wanted), there))
        add(action::create, "addresses", {}, a);
    for (const auto& a : without(seen_.record.own.addresses, wanted))
      if (contains(there, a))
        add(action::remove, "addresses", a, {});
    return {};
  }

  outcome<void> routes() {
    std::vector<network_route> wanted;
    for (const auto& each : spec_.routes) {
      auto route = canonical_route(each);
      if (!route)
        return route.error();
      wanted.push_back(std::move(*route));
    }
    const auto there = fresh() ? std::vector<network_route>{} : plain_routes(*seen_.link);
    if (up())
      for (const auto& r : without(united({}, wanted), there))
        add(action::create, "routes", {}, describe(r));
    for (const auto& r : without(seen_.record.own.routes, wanted))
      if (contains(there, r))
        add(action::remove, "routes", describe(r), {});
    return {};
  }

  void members() {
    for (const auto& m : without(united({}, spec_.members), seen_.members))
      add(action::create, "members", {}, m);
    for (const auto& m : without(seen_.record.own.members, spec_.members))
      if (contains(seen_.members, m))
        add(action::remove, "members", m, {});
  }

  void settings() {
    const bool is_up = !fresh() && seen_.link->up;
    const auto mtu = fresh() ? 0 : seen_.link->mtu;
    if (spec_.mtu != 0 && spec_.mtu != mtu)
      add(action::update, "mtu", mtu == 0 ? std::string{} : std::to_string(mtu),
          std::to_string(spec_.mtu));
    if (is_up != up())
      add(action::update, "state", is_up ? "up" : "down", up() ? "up" : "down");
  }

  const network_spec& spec_;
  const network_observed& seen_;
  std::vector<change> todo_;
};

} // namespace

outcome<std::vector<change>> network_operations::plan(const desired<network_spec>& want,
                                                      const network_observed& seen) {
  // An earlier change comes first: until it is settled nobody knows what is there to stay.
  if (seen.record.trial)
    return std::vector<change>{{action::update, "confirmation", "unconfirmed", "settled"}};
  return planner{want, seen}.run();
}

resource_state network_operations::report(const network_observed& seen) {
  network_status status;
  if (!seen.link)
    return status;
  status.present = true;
  status.up = seen.link->up;
  status.carrier = seen.link->carrier;
  status.mtu = seen.link->mtu;
  status.addresses = address_texts(*seen.link, false);
  return status;
}

} // namespace harmony
