#include "topology/network_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace harmony {

namespace {

/// What the kernel makes of an IPv6 route's metric 0 (IP6_RT_PRIO_USER).
constexpr std::uint32_t ipv6_default_metric = 1024;

struct parsed_address {
  int family = AF_INET;
  std::array<std::uint8_t, 16> bytes{};
  unsigned prefix = 0;

  [[nodiscard]] unsigned bits() const { return family == AF_INET ? 32 : 128; }
};

bool parse_ip(std::string_view text, parsed_address& into) {
  into.family = text.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  return ::inet_pton(into.family, std::string{text}.c_str(), into.bytes.data()) == 1;
}

bool parse_cidr(std::string_view text, parsed_address& into) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || !parse_ip(text.substr(0, slash), into))
    return false;
  const auto digits = text.substr(slash + 1);
  const auto* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, into.prefix);
  return error == std::errc{} && rest == end && into.prefix <= into.bits()
         && (digits.size() == 1 || digits.front() != '0');
}

std::string text_of(const parsed_address& a) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(a.family, a.bytes.data(), text.data(), text.size());
  return text.data();
}

bool has_host_bits(const parsed_address& a) {
  for (unsigned bit = a.prefix; bit < a.bits(); ++bit)
    if ((a.bytes.at(bit / 8) & (0x80U >> (bit % 8))) != 0)
      return true;
  return false;
}

failure not_an_address(std::string_view text) {
  return {ec::invalid_spec, "'" + std::string{text} + "' is not an address with its prefix length"};
}

} // namespace

outcome<std::string> canonical_address(std::string_view cidr) {
  parsed_address a;
  if (!parse_cidr(cidr, a))
    return not_an_address(cidr);
  return text_of(a) + "/" + std::to_string(a.prefix);
}

outcome<network_route> canonical_route(const network_route& route) {
  parsed_address via;
  if (!route.via.empty() && !parse_ip(route.via, via))
    return failure{ec::invalid_spec, "'" + route.via + "' is not an address"};
  parsed_address to;
  to.family = via.family;
  if (route.to != "default" && !parse_cidr(route.to, to))
    return not_an_address(route.to);
  if (!route.via.empty() && to.family != via.family)
    return failure{ec::invalid_spec, "the route to '" + route.to + "' goes via '" + route.via
                                       + "', which is of the other IP version"};
  if (has_host_bits(to)) {
    return failure{ec::invalid_spec, "the route to '" + route.to
                                       + "' names a host in its network: clear the bits beyond /"
                                       + std::to_string(to.prefix) + ", or write /"
                                       + std::to_string(to.bits())};
  }
  // IPv6's default needs its own word where no gateway says that it is one.
  const bool any = to.prefix == 0 && (to.family == AF_INET || !route.via.empty());
  network_route result;
  result.to = any ? "default" : text_of(to) + "/" + std::to_string(to.prefix);
  result.via = route.via.empty() ? std::string{} : text_of(via);
  result.metric = route.metric;
  if (to.family == AF_INET6 && result.metric == 0)
    result.metric = ipv6_default_metric;
  return result;
}

bool is_ipv6(const network_route& canonical) {
  return (canonical.to + canonical.via).find(':') != std::string::npos;
}

bool is_link_local(std::string_view canonical_cidr) {
  parsed_address a;
  return parse_cidr(canonical_cidr, a) && a.family == AF_INET6 && a.bytes[0] == 0xFE
         && (a.bytes[1] & 0xC0U) == 0x80;
}

std::string describe(const network_route& route) {
  return route.to + (route.via.empty() ? std::string{} : " via " + route.via)
         + (route.metric == 0 ? std::string{} : " metric " + std::to_string(route.metric));
}

} // namespace harmony
