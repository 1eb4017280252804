#include "topology/netlink_network.hpp"

#include <linux/capability.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <netlink/errno.h>

#include "fault/fault.hpp"
#include "topology/netlink.hpp"
#include "topology/netlink_snapshot.hpp"
#include "topology/network_address.hpp"

namespace harmony {

namespace {

/// What could not be done, in the kernel's words.
failure refused(const std::string& what, const netlink::verdict& said) {
  const auto words = said.words.empty() ? std::string{std::strerror(said.error)} : said.words;
  const auto message = "cannot " + what + ": " + words;
  switch (said.error) {
  case ENODEV: return {ec::link_not_found, message};
  case EEXIST: return {ec::name_conflict, message};
  case EOPNOTSUPP: return {ec::network_failed, message + "; this device's kernel may lack it"};
  case EPERM:
  case EACCES: return {ec::permission_denied, message + "; it needs CAP_NET_ADMIN"};
  default: return {ec::network_failed, message};
  }
}

failure no_link(const std::string& name) {
  return {ec::link_not_found, "the device has no link '" + name + "'"};
}

outcome<unsigned> index_of(const std::string& name) {
  const auto index = ::if_nametoindex(name.c_str());
  if (index == 0)
    return no_link(name);
  return index;
}

/// Sends what `build(&request)` makes; errors of `fine` are success.
template <class Build>
outcome<void> request(const std::string& what, Build build, std::array<int, 2> fine = {0, 0}) {
  const auto socket = netlink::connect();
  if (!socket)
    return socket.error();
  nl_msg* raw = nullptr;
  if (const int error = build(&raw); error < 0)
    return {ec::network_failed, "cannot " + what + ": " + nl_geterror(error)};
  const netlink::message message{raw};
  const auto said = netlink::transact(socket->get(), message.get());
  if (said.error == 0 || said.error == fine[0] || said.error == fine[1])
    return {};
  return refused(what, said);
}

outcome<netlink::any_address> parse(const std::string& text, int family) {
  nl_addr* raw = nullptr;
  if (nl_addr_parse(text.c_str(), family, &raw) < 0)
    return {ec::invalid_spec, "'" + text + "' is not an address"};
  return netlink::any_address{raw};
}

outcome<netlink::address> address_on(const std::string& link, const std::string& cidr) {
  const auto index = index_of(link);
  if (!index)
    return index.error();
  const auto local = parse(cidr, AF_UNSPEC);
  if (!local)
    return local.error();
  netlink::address result{rtnl_addr_alloc()};
  rtnl_addr_set_ifindex(result.get(), static_cast<int>(*index));
  rtnl_addr_set_local(result.get(), local->get());
  return result;
}

outcome<netlink::route> route_over(const std::string& link, const link_route& how) {
  const auto& what = how.route;
  const auto index = index_of(link);
  if (!index)
    return index.error();
  const int family = is_ipv6(what) ? AF_INET6 : AF_INET;
  const auto to = parse(what.to, family);
  if (!to)
    return to.error();
  netlink::route result{rtnl_route_alloc()};
  rtnl_route_set_family(result.get(), static_cast<std::uint8_t>(family));
  rtnl_route_set_protocol(result.get(), how.protocol);
  rtnl_route_set_priority(result.get(), what.metric);
  rtnl_route_set_dst(result.get(), to->get());
  auto* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(*index));
  rtnl_route_add_nexthop(result.get(), hop); // takes it over
  if (!what.via.empty()) {
    const auto via = parse(what.via, family);
    if (!via)
      return via.error();
    rtnl_route_nh_set_gateway(hop, via->get());
  }
  if (how.onlink)
    rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
  if (!how.source.empty()) {
    const auto source = parse(how.source, family);
    if (!source)
      return source.error();
    rtnl_route_set_pref_src(result.get(), source->get());
  }
  return result;
}

} // namespace

outcome<network_snapshot> netlink_network::snapshot() {
  HARMONY_FAULT("network.look");
  const auto socket = netlink::connect();
  if (!socket)
    return socket.error();
  return netlink::take_snapshot(socket->get());
}

outcome<void> netlink_network::make_link(const new_link& what) {
  unsigned parent = 0;
  if (what.kind == "vlan") {
    const auto found = index_of(what.parent);
    if (!found)
      return found.error();
    parent = *found;
  }
  HARMONY_FAULT("network.make-link.before");
  auto done = request("make the " + what.kind + " '" + what.name + "'", [&](nl_msg** m) {
    *m = netlink::making_request(what, static_cast<int>(parent)).release();
    return *m == nullptr ? -NLE_NOMEM : 0;
  });
  HARMONY_FAULT("network.make-link.after");
  return done;
}

outcome<void> netlink_network::delete_link(const std::string& link) {
  const auto index = index_of(link);
  if (!index)
    return {};
  netlink::link gone{rtnl_link_alloc()};
  rtnl_link_set_ifindex(gone.get(), static_cast<int>(*index));
  HARMONY_FAULT("network.delete-link.before");
  auto done =
    request("delete the link '" + link + "'",
            [&](nl_msg** m) { return rtnl_link_build_delete_request(gone.get(), m); }, {ENODEV, 0});
  HARMONY_FAULT("network.delete-link.after");
  return done;
}

outcome<void> netlink_network::set_link(const std::string& link, const link_settings& settings) {
  const auto socket = netlink::connect();
  if (!socket)
    return socket.error();
  rtnl_link* raw = nullptr;
  if (rtnl_link_get_kernel(socket->get(), 0, link.c_str(), &raw) < 0)
    return no_link(link);
  const netlink::link now{raw};
  const netlink::link next{rtnl_link_alloc()};
  std::string what;
  if (settings.master) {
    outcome<unsigned> master{0U};
    if (!settings.master->empty())
      master = index_of(*settings.master);
    if (!master)
      return master.error();
    rtnl_link_set_master(next.get(), static_cast<int>(*master));
    what = settings.master->empty()
             ? "take '" + link + "' out of its bridge"
             : "put '" + link + "' into the bridge '" + *settings.master + "'";
  }
  if (settings.mtu) {
    rtnl_link_set_mtu(next.get(), *settings.mtu);
    what = "set the MTU of '" + link + "' to " + std::to_string(*settings.mtu);
  }
  if (settings.up) {
    if (*settings.up)
      rtnl_link_set_flags(next.get(), IFF_UP);
    else
      rtnl_link_unset_flags(next.get(), IFF_UP);
    what = "set '" + link + "' " + (*settings.up ? "up" : "down");
  }
  HARMONY_FAULT("network.set-link.before");
  auto done = request(
    what, [&](nl_msg** m) { return rtnl_link_build_change_request(now.get(), next.get(), 0, m); });
  HARMONY_FAULT("network.set-link.after");
  return done;
}

outcome<void> netlink_network::add_address(const std::string& link, const std::string& cidr) {
  const auto address = address_on(link, cidr);
  if (!address)
    return address.error();
  HARMONY_FAULT("network.add-address.before");
  auto done =
    request("add the address '" + cidr + "' to '" + link + "'",
            [&](nl_msg** m) {
              return rtnl_addr_build_add_request(address->get(), NLM_F_CREATE | NLM_F_EXCL, m);
            },
            {EEXIST, 0});
  HARMONY_FAULT("network.add-address.after");
  return done;
}

outcome<void> netlink_network::remove_address(const std::string& link, const std::string& cidr) {
  const auto address = address_on(link, cidr);
  if (!address)
    return address.error().code == ec::link_not_found ? outcome<void>{} : address.error();
  HARMONY_FAULT("network.remove-address.before");
  auto done =
    request("remove the address '" + cidr + "' from '" + link + "'",
            [&](nl_msg** m) { return rtnl_addr_build_delete_request(address->get(), 0, m); },
            {EADDRNOTAVAIL, ENODEV});
  HARMONY_FAULT("network.remove-address.after");
  return done;
}

outcome<void> netlink_network::add_route(const std::string& link, const link_route& what) {
  const auto route = route_over(link, what);
  if (!route)
    return route.error();
  HARMONY_FAULT("network.add-route.before");
  auto done =
    request("add the route to " + describe(what.route) + " over '" + link + "'", [&](nl_msg** m) {
      return rtnl_route_build_add_request(route->get(), NLM_F_CREATE | NLM_F_EXCL, m);
    });
  HARMONY_FAULT("network.add-route.after");
  if (done || done.error().code != ec::name_conflict)
    return done;
  return {ec::name_conflict, "another route to '" + what.route.to + "' has the metric "
                               + std::to_string(what.route.metric)
                               + " and is not this agent's: remove it, or use another metric"};
}

outcome<void> netlink_network::remove_route(const std::string& link, const network_route& what) {
  // Of whichever protocol: it may have been there before the agent began to own it.
  const auto route = route_over(link, {what, RTPROT_UNSPEC, {}, false});
  if (!route)
    return route.error().code == ec::link_not_found ? outcome<void>{} : route.error();
  HARMONY_FAULT("network.remove-route.before");
  auto done = request("remove the route to " + describe(what) + " over '" + link + "'",
                      [&](nl_msg** m) { return rtnl_route_build_del_request(route->get(), 0, m); },
                      {ESRCH, ENODEV});
  HARMONY_FAULT("network.remove-route.after");
  return done;
}

bool may_change_network() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0)
    return false;
  return (sets[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

} // namespace harmony
