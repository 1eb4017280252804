#pragma once

#include "topology/netlink.hpp"
#include "topology/network.hpp"

namespace harmony::netlink {

/// All links with their addresses and routes, by one dump of each.
outcome<network_snapshot> take_snapshot(nl_sock* with);

} // namespace harmony::netlink
