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
  const char* more = ""; ///< more fields of each member's spec
  bool may_lose = false; ///< an operator allows it
};

/// All of them. A number in a name is that of the list in the protocol's design.
const std::vector<scenario>& scenarios();

/// Parts of that list, by what is at fault.
std::vector<scenario> scenarios_of_processes();
std::vector<scenario> scenarios_of_elections();
std::vector<scenario> scenarios_of_data();
std::vector<scenario> scenarios_of_stores();

/// Begins with a whole cluster under load, runs it, and waits until the cluster is whole again.
/// Then: at no instant were two members writable; in the synchronous modes no acknowledged write is
/// lost; all members have the same data.
void run(const scenario& what, cluster_bed& bed);

} // namespace harmony::test
