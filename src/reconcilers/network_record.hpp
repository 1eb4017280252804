#pragma once

// What the inventory's note of a link remembers.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "topology/network.hpp"

namespace harmony {

/// What the agent itself added to a link, in canonical form.
struct network_own {
  std::vector<std::string> addresses;
  std::vector<network_route> routes;
  std::vector<std::string> members;

  [[nodiscard]] bool empty() const {
    return addresses.empty() && routes.empty() && members.empty();
  }
  friend bool operator==(const network_own&, const network_own&) = default;
};

/// A change that is undone unless the store is reached in time: what was before it.
struct network_trial {
  std::string boot;                  ///< the boot of the device in which it was made
  std::chrono::milliseconds until{}; ///< since that boot
  std::string what;                  ///< the changes, for a person
  std::optional<link_facts> before;  ///< absent: there was no link
  std::vector<std::string> members;  ///< of the bridge, before
  network_own own;                   ///< before
  bool recorded = false;             ///< whether there was a record before

  friend bool operator==(const network_trial&, const network_trial&) = default;
};

struct network_record {
  std::string kind; ///< of a link that the agent made; empty: it made none
  network_own own;  ///< with what a change under way adds
  std::optional<network_trial> trial;

  friend bool operator==(const network_record&, const network_record&) = default;
};

/// As JSON, which a technician can read in the database.
std::string to_note(const network_record& record);

/// A note that cannot be read remembers nothing: then nothing is taken away by it.
network_record from_note(const std::string& note);

} // namespace harmony
