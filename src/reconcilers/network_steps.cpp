#include "reconcilers/network_steps.hpp"

#include <utility>

#include "topology/network_address.hpp"

namespace harmony {

namespace {

/// One way to the goal. After each stage `now_` is what the kernel says.
class journey {
public:
  journey(network_port& network, const network_goal& goal) : network_(network), goal_(goal) {}

  outcome<void> run() {
    using stage = outcome<void> (journey::*)();
    for (const stage each : {&journey::make, &journey::take_away, &journey::members,
                             &journey::settings, &journey::addresses, &journey::routes}) {
      if (auto seen = look(); !seen)
        return seen;
      if (auto done = (this->*each)(); !done)
        return done;
    }
    return {};
  }

private:
  outcome<void> look() {
    auto all = network_.snapshot();
    if (!all)
      return all.error();
    all_ = std::move(*all);
    const auto found = all_.find(goal_.link);
    now_ = found == all_.end() ? std::nullopt : std::optional{found->second};
    return {};
  }

  outcome<void> make() {
    if (now_)
      kept_ = without(address_texts(*now_, true), goal_.surplus_addresses);
    if (now_ && (!goal_.made || !is_other(*now_, *goal_.made)))
      return {};
    if (!goal_.made)
      return {ec::link_not_found, "the device has no link '" + goal_.link + "'"};
    if (now_)
      if (auto gone = network_.delete_link(goal_.link); !gone)
        return gone;
    return network_.make_link(*goal_.made);
  }

  outcome<void> take_away() {
    if (!now_)
      return gone();
    for (const auto& r : goal_.surplus_routes)
      if (contains(plain_routes(*now_), r))
        if (auto done = network_.remove_route(goal_.link, r); !done)
          return done;
    for (const auto& a : goal_.surplus_addresses)
      if (contains(address_texts(*now_, false), a))
        if (auto done = network_.remove_address(goal_.link, a); !done)
          return done;
    return {};
  }

  outcome<void> members() {
    for (const auto& m : goal_.surplus_members) {
      const auto found = all_.find(m);
      if (found != all_.end() && found->second.master == goal_.link)
        if (auto done = network_.set_link(m, {{}, {}, std::string{}}); !done)
          return done;
    }
    for (const auto& m : goal_.members) {
      const auto found = all_.find(m);
      if (found != all_.end() && found->second.master == goal_.link)
        continue;
      if (auto done = network_.set_link(m, {{}, {}, goal_.link}); !done)
        return done;
    }
    return {};
  }

  outcome<void> settings() {
    if (!now_)
      return gone();
    if (goal_.mtu != 0 && now_->mtu != goal_.mtu)
      if (auto done = network_.set_link(goal_.link, {{}, goal_.mtu, {}}); !done)
        return done;
    if (goal_.up && now_->up != *goal_.up)
      return network_.set_link(goal_.link, {goal_.up, {}, {}});
    return {};
  }

  outcome<void> addresses() {
    if (!now_)
      return gone();
    const auto there = address_texts(*now_, false);
    const auto all = now_->up ? united(goal_.addresses, kept_) : goal_.addresses;
    for (const auto& a : without(all, there))
      if (auto done = network_.add_address(goal_.link, a); !done)
        return done;
    return {};
  }

  outcome<void> routes() {
    if (!now_)
      return gone();
    const auto there = plain_routes(*now_);
    // A gateway is reached over a route on the link: those come first.
    for (const bool direct : {true, false})
      for (const auto& r : goal_.routes)
        if (r.route.via.empty() == direct && !contains(there, r.route))
          if (auto done = network_.add_route(goal_.link, r); !done)
            return done;
    return {};
  }

  [[nodiscard]] outcome<void> gone() const {
    return {ec::link_not_found, "the link '" + goal_.link + "' went away meanwhile"};
  }

  network_port& network_;
  const network_goal& goal_;
  network_snapshot all_;
  std::optional<link_facts> now_;
  std::vector<std::string> kept_; ///< addresses that must outlive the change
};

} // namespace

bool is_other(const link_facts& seen, const new_link& made) {
  return seen.kind != made.kind
         || (made.kind == "vlan" && (seen.parent != made.parent || seen.vlan_id != made.vlan_id));
}

outcome<void> achieve(network_port& network, const network_goal& goal) {
  return journey{network, goal}.run();
}

std::vector<std::string> address_texts(const link_facts& link, bool lasting) {
  std::vector<std::string> texts;
  for (const auto& a : link.addresses)
    if (!lasting || (a.permanent && !is_link_local(a.cidr)))
      texts.push_back(a.cidr);
  return texts;
}

std::vector<network_route> plain_routes(const link_facts& link) {
  std::vector<network_route> routes;
  for (const auto& r : link.routes)
    routes.push_back(r.route);
  return routes;
}

} // namespace harmony
