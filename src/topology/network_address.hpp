#pragma once

// One spelling of each address and route, so that they can be compared as texts.

#include <string>
#include <string_view>

#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony {

/// "FD00:0::1/064" is no address; "FD00:0::1/64" is "fd00::1/64". Fails with invalid_spec.
outcome<std::string> canonical_address(std::string_view cidr);

/// The route with its texts canonical, "0.0.0.0/0" and "::/0" as "default", and the metric that the
/// kernel gives an IPv6 route without one (1024). "default" without `via` is IPv4's. Fails with
/// invalid_spec, also where `to` has bits beyond its prefix or `via` is of the other family.
outcome<network_route> canonical_route(const network_route& route);

/// Whether the canonical route is one of IPv6.
bool is_ipv6(const network_route& canonical);

/// fe80::/10, which the kernel gives to a link by itself.
bool is_link_local(std::string_view canonical_cidr);

/// For a person: "10.1.0.0/16 via 10.0.0.1 metric 100".
std::string describe(const network_route& route);

} // namespace harmony
