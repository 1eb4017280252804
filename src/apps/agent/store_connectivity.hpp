#pragma once

#include "topology/connectivity.hpp"
#include "transport/store.hpp"

namespace harmony {

/// Reachable is the store: it answers a read of this agent's desired state, over the agent's own
/// connection or over a fresh one. A change of the device's address leaves the former connection
/// hanging for some ten seconds where the store can be reached well.
class store_connectivity final : public connectivity {
public:
  /// `link` must outlive this; `fresh` says how to connect anew.
  store_connectivity(store& link, std::string agent, store_options fresh)
    : link_(link), agent_(std::move(agent)), fresh_(std::move(fresh)) {}

  bool reachable(std::chrono::steady_clock::time_point deadline) override;

private:
  store& link_;
  std::string agent_;
  store_options fresh_;
};

} // namespace harmony
