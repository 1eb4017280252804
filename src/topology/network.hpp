#pragma once

// What a device with a network can do, as its reconciler and its monitor see it. The real thing is
// `netlink_network`; tests bring their own.

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "model/specs.hpp"
#include "topology/connectivity.hpp"

namespace harmony {

/// An address on a link.
struct link_address {
  std::string cidr;      ///< canonical: see canonical_address
  bool permanent = true; ///< false: it has a lifetime (DHCP, router advertisements)

  friend bool operator==(const link_address&, const link_address&) = default;
};

/// A unicast route of the main table that leads over one link.
struct link_route {
  network_route route;       ///< canonical: see canonical_route
  std::uint8_t protocol = 4; ///< who made it: RTPROT_… of linux/rtnetlink.h; 4: static
  std::string source = {};   ///< the address that packets are sent from; empty: the kernel's choice
  bool onlink = false;       ///< its gateway counts as reached though no address says so

  friend bool operator==(const link_route&, const link_route&) = default;
};

/// A link as the kernel has it.
struct link_facts {
  std::string kind;          ///< "bridge", "dummy", "vlan", "veth", …; empty: hardware
  std::string parent;        ///< of a vlan
  std::uint16_t vlan_id = 0; ///< of a vlan
  std::string master;        ///< the bridge that it is in; empty: none
  bool up = false;
  bool carrier = false;
  std::uint32_t mtu = 0;
  std::vector<link_address> addresses; ///< sorted by text
  std::vector<link_route> routes;      ///< without those that the kernel makes by itself

  friend bool operator==(const link_facts&, const link_facts&) = default;
};

/// All links of the device, by name.
using network_snapshot = std::map<std::string, link_facts>;

/// A link to be made.
struct new_link {
  std::string name;
  std::string kind; ///< "dummy", "bridge" or "vlan"
  std::string parent;
  std::uint16_t vlan_id = 0;

  friend bool operator==(const new_link&, const new_link&) = default;
};

/// The kernel's word for a link of this type that is made; empty for a physical one.
inline std::string made_kind(link_type type) {
  switch (type) {
  case link_type::physical: return {};
  case link_type::dummy: return "dummy";
  case link_type::bridge: return "bridge";
  case link_type::vlan: return "vlan";
  }
  return {};
}

/// What is to change of a link; what is absent stays.
struct link_settings {
  std::optional<bool> up;
  std::optional<std::uint32_t> mtu;
  std::optional<std::string> master; ///< empty text: none
};

/// The network of a device. Thread-safe. Calls ask the kernel alone, so none blocks for long.
///
/// Every change fails with `link_not_found` where the link (or the parent, or the master) is not
/// there, `permission_denied` without CAP_NET_ADMIN, and otherwise `network_failed` with the
/// kernel's own words.
class network_port {
public:
  virtual ~network_port() = default;

  virtual outcome<network_snapshot> snapshot() = 0;

  /// Fails with name_conflict when a link of that name is there.
  virtual outcome<void> make_link(const new_link& what) = 0;
  /// One that is gone is success.
  virtual outcome<void> delete_link(const std::string& link) = 0;
  virtual outcome<void> set_link(const std::string& link, const link_settings& settings) = 0;

  /// Canonical addresses. Adding what is there and removing what is not is success.
  virtual outcome<void> add_address(const std::string& link, const std::string& cidr) = 0;
  virtual outcome<void> remove_address(const std::string& link, const std::string& cidr) = 0;

  /// Canonical routes. Adding fails with name_conflict when another route has the same destination
  /// and metric; removing what is not there is success.
  virtual outcome<void> add_route(const std::string& link, const link_route& route) = 0;
  virtual outcome<void> remove_route(const std::string& link, const network_route& route) = 0;
};

/// The capability: a topology whose `network()` is the device's network, and whose `commander()`
/// says whether a change of it left the device within reach.
template <class T>
concept has_network = requires(T& t) {
  { t.network() } -> std::convertible_to<network_port&>;
  { t.commander() } -> std::convertible_to<connectivity&>;
};

} // namespace harmony
