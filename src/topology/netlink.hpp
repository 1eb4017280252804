#pragma once

// libnl's objects as values that free themselves, and one exchange with the kernel.

#include <memory>
#include <string>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>

#include "model/outcome.hpp"
#include "topology/network.hpp"

namespace harmony::netlink {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using socket = std::unique_ptr<nl_sock, freed_by<nl_socket_free>>;
using message = std::unique_ptr<nl_msg, freed_by<nlmsg_free>>;
using cache = std::unique_ptr<nl_cache, freed_by<nl_cache_free>>;
using any_address = std::unique_ptr<nl_addr, freed_by<nl_addr_put>>;
using link = std::unique_ptr<rtnl_link, freed_by<rtnl_link_put>>;
using address = std::unique_ptr<rtnl_addr, freed_by<rtnl_addr_put>>;
using route = std::unique_ptr<rtnl_route, freed_by<rtnl_route_put>>;

/// What the kernel said to a request: errno, 0 for success, and its explanation, which may be
/// empty.
struct verdict {
  int error = 0;
  std::string words;
};

/// A socket that is connected to the kernel's routing. Fails with runtime_unavailable.
outcome<socket> connect();

/// Sends a request and waits for its verdict.
verdict transact(nl_sock* with, nl_msg* request);

/// The request that makes a link; `parent` is the index of a vlan's. Null where there is no memory.
message making_request(const new_link& what, int parent);

/// Fills a cache with a dump of the kernel: `fill(socket, &cache)` of libnl.
template <class Fill>
outcome<cache> dump(nl_sock* with, const char* what, Fill fill) {
  nl_cache* raw = nullptr;
  if (const int error = fill(with, &raw); error < 0)
    return {ec::runtime_unavailable,
            std::string{"the kernel does not list its "} + what + ": " + nl_geterror(error)};
  return cache{raw};
}

} // namespace harmony::netlink
