#pragma once

#include <string>
#include <vector>

#include "failover/load.hpp"

namespace harmony::test {

/// One fault, or one order, that a whole cluster under load must survive.
struct scenario {
  const char* name;
  const char* invariant; ///< what must hold besides "never two writable"
  const char* mode;      ///< the cluster's
  bool fast;             ///< a part of scripts/test
  void (*run)(cluster_bed& bed, load& clients);
};

const std::vector<scenario>& scenarios();

/// Begins with a whole cluster under load, runs it, and waits until the cluster is whole again.
/// Then: at no instant were two members writable; in the synchronous modes no acknowledged write is
/// lost.
void run(const scenario& what, cluster_bed& bed);

} // namespace harmony::test
