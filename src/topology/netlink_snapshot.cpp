#include "topology/netlink_snapshot.hpp"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <utility>

#include <netlink/route/link/vlan.h>

#include "topology/network_address.hpp"

namespace harmony::netlink {

namespace {

/// IFF_LOWER_UP of linux/if.h, which cannot be included beside net/if.h.
constexpr unsigned lower_up = 1U << 16;

using names = std::map<int, std::string>; ///< of links, by index

template <class Object, class Visit>
void for_each(nl_cache* all, Visit visit) {
  for (auto* o = nl_cache_get_first(all); o != nullptr; o = nl_cache_get_next(o))
    visit(reinterpret_cast<Object*>(o)); // NOLINT: as libnl's own casts
}

std::string name_of(const names& known, int index) {
  const auto found = known.find(index);
  return found == known.end() ? std::string{} : found->second;
}

std::string host_text(nl_addr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(nl_addr_get_family(address), nl_addr_get_binary_addr(address), text.data(),
              text.size());
  return text.data();
}

link_facts facts_of(rtnl_link* l, const names& known) {
  link_facts facts;
  if (const char* kind = rtnl_link_get_type(l); kind != nullptr)
    facts.kind = kind;
  if (rtnl_link_is_vlan(l) != 0) {
    facts.parent = name_of(known, rtnl_link_get_link(l));
    facts.vlan_id = static_cast<std::uint16_t>(rtnl_link_vlan_get_id(l));
  }
  facts.master = name_of(known, rtnl_link_get_master(l));
  const auto flags = rtnl_link_get_flags(l);
  facts.up = (flags & IFF_UP) != 0;
  facts.carrier = (flags & lower_up) != 0;
  facts.mtu = rtnl_link_get_mtu(l);
  return facts;
}

/// Where to find the facts of a link by its index; null: it is not in the snapshot.
link_facts* find(network_snapshot& all, const names& known, int index) {
  const auto found = all.find(name_of(known, index));
  return found == all.end() ? nullptr : &found->second;
}

void add_address(rtnl_addr* a, link_facts& to) {
  auto* local = rtnl_addr_get_local(a);
  if (local == nullptr)
    return;
  const auto cidr = host_text(local) + "/" + std::to_string(rtnl_addr_get_prefixlen(a));
  to.addresses.push_back({cidr, (rtnl_addr_get_flags(a) & IFA_F_PERMANENT) != 0});
}

/// Whether it is a route that somebody set: not made by the kernel for an address, nor by a
/// neighbour's advertisement, which come and go by themselves.
bool is_settable(rtnl_route* r) {
  const auto protocol = rtnl_route_get_protocol(r);
  const auto family = rtnl_route_get_family(r);
  return (family == AF_INET || family == AF_INET6) && rtnl_route_get_table(r) == RT_TABLE_MAIN
         && rtnl_route_get_type(r) == RTN_UNICAST && rtnl_route_get_nnexthops(r) == 1
         && protocol != RTPROT_KERNEL && protocol != RTPROT_RA && protocol != RTPROT_REDIRECT;
}

std::optional<link_route> settable_route(rtnl_route* r, rtnl_nexthop* hop) {
  network_route raw;
  auto* to = rtnl_route_get_dst(r);
  const bool v6 = rtnl_route_get_family(r) == AF_INET6;
  if (to == nullptr || nl_addr_get_prefixlen(to) == 0)
    raw.to = v6 ? "::/0" : "0.0.0.0/0";
  else
    raw.to = host_text(to) + "/" + std::to_string(nl_addr_get_prefixlen(to));
  if (auto* via = rtnl_route_nh_get_gateway(hop); via != nullptr)
    raw.via = host_text(via);
  raw.metric = rtnl_route_get_priority(r);
  const auto route = canonical_route(raw);
  if (!route)
    return {}; // e.g. IPv4 over an IPv6 gateway: no manifest can say it
  auto* source = rtnl_route_get_pref_src(r);
  return link_route{*route, rtnl_route_get_protocol(r),
                    source == nullptr ? std::string{} : host_text(source),
                    (rtnl_route_nh_get_flags(hop) & RTNH_F_ONLINK) != 0};
}

} // namespace

outcome<network_snapshot> take_snapshot(nl_sock* with) {
  const auto links = dump(
    with, "links", [](nl_sock* s, nl_cache** c) { return rtnl_link_alloc_cache(s, AF_UNSPEC, c); });
  if (!links)
    return links.error();
  const auto addresses = dump(with, "addresses", rtnl_addr_alloc_cache);
  if (!addresses)
    return addresses.error();
  const auto routes = dump(with, "routes", [](nl_sock* s, nl_cache** c) {
    return rtnl_route_alloc_cache(s, AF_UNSPEC, 0, c);
  });
  if (!routes)
    return routes.error();

  names known;
  for_each<rtnl_link>(
    links->get(), [&](rtnl_link* l) { known[rtnl_link_get_ifindex(l)] = rtnl_link_get_name(l); });
  network_snapshot all;
  for_each<rtnl_link>(links->get(),
                      [&](rtnl_link* l) { all[rtnl_link_get_name(l)] = facts_of(l, known); });
  for_each<rtnl_addr>(addresses->get(), [&](rtnl_addr* a) {
    if (auto* to = find(all, known, rtnl_addr_get_ifindex(a)))
      add_address(a, *to);
  });
  for_each<rtnl_route>(routes->get(), [&](rtnl_route* r) {
    if (!is_settable(r))
      return;
    auto* hop = rtnl_route_nexthop_n(r, 0);
    auto* over = find(all, known, rtnl_route_nh_get_ifindex(hop));
    if (over == nullptr)
      return;
    if (auto found = settable_route(r, hop))
      over->routes.push_back(std::move(*found));
  });
  for (auto& [name, facts] : all) {
    std::sort(facts.addresses.begin(), facts.addresses.end(),
              [](const auto& a, const auto& b) { return a.cidr < b.cidr; });
    std::sort(facts.routes.begin(), facts.routes.end(),
              [](const auto& a, const auto& b) { return describe(a.route) < describe(b.route); });
  }
  return all;
}

} // namespace harmony::netlink
