#pragma once

// From what a link is to what it should be, step by step: the same way for a change and its
// undoing.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "topology/network.hpp"

namespace harmony {

/// What a link should be. Surplus is taken away where it is there; all else that is on the link
/// stays.
struct network_goal {
  std::string link;
  std::optional<new_link> made; ///< what it is made as; a vlan that is another is made anew
  std::optional<bool> up;       ///< absent: as it is
  std::uint32_t mtu = 0;        ///< 0: as it is
  std::vector<std::string> members, surplus_members;
  std::vector<std::string> addresses, surplus_addresses;
  std::vector<link_route> routes;
  std::vector<network_route> surplus_routes;
};

/// Whether the link is of another kind, parent or number than it should be made as.
bool is_other(const link_facts& seen, const new_link& made);

/// Makes the link so. Looks between the steps, because each may change more than it was asked for
/// (the kernel drops an address together with the primary one of its network). What others had on
/// the link and such a step took away is put back. Idempotent.
outcome<void> achieve(network_port& network, const network_goal& goal);

/// The elements of `all` that `other` does not have, in their order.
template <class T>
std::vector<T> without(const std::vector<T>& all, const std::vector<T>& other) {
  std::vector<T> left;
  for (const auto& each : all)
    if (std::find(other.begin(), other.end(), each) == other.end())
      left.push_back(each);
  return left;
}

/// Both, each element once.
template <class T>
std::vector<T> united(const std::vector<T>& first, const std::vector<T>& second) {
  std::vector<T> all;
  for (const auto* part : {&first, &second})
    for (const auto& each : *part)
      if (std::find(all.begin(), all.end(), each) == all.end())
        all.push_back(each);
  return all;
}

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// The addresses as texts; `lasting`: without those that come and go by themselves.
std::vector<std::string> address_texts(const link_facts& link, bool lasting);

/// The routes without who made them.
std::vector<network_route> plain_routes(const link_facts& link);

} // namespace harmony
