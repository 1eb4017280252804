#pragma once

#include "topology/network.hpp"

namespace harmony {

/// The network of this device, spoken to by rtnetlink. Each call has a socket of its own.
class netlink_network final : public network_port {
public:
  outcome<network_snapshot> snapshot() override;
  outcome<void> make_link(const new_link& what) override;
  outcome<void> delete_link(const std::string& link) override;
  outcome<void> set_link(const std::string& link, const link_settings& settings) override;
  outcome<void> add_address(const std::string& link, const std::string& cidr) override;
  outcome<void> remove_address(const std::string& link, const std::string& cidr) override;
  outcome<void> add_route(const std::string& link, const link_route& route) override;
  outcome<void> remove_route(const std::string& link, const network_route& route) override;
};

/// Whether this process may change the network: CAP_NET_ADMIN.
bool may_change_network();

} // namespace harmony
