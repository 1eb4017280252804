#pragma once

// The real kernel's network, of a disposable device. `port0` stands for a port of the device; its
// other end is `far0`.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "reconcilers/network.hpp"
#include "support/catch.hpp"
#include "support/hint_log.hpp"
#include "support/memory_inventory.hpp"
#include "support/shell.hpp"
#include "support/temp_dir.hpp"
#include "topology/netlink_network.hpp"
#include "topology/network_monitor.hpp"

namespace harmony::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using desired_link = desired<network_spec>;

/// Whether this kernel can make links of this kind.
bool kernel_has(const std::string& kind);

class told_commander final : public connectivity {
public:
  std::function<bool()> rule = [] { return true; };
  bool reachable(std::chrono::steady_clock::time_point) override { return rule(); }
};

struct real_network {
  netlink_network port;
  told_commander store;
  network_port& network() { return port; }
  connectivity& commander() { return store; }
};

desired_link link_of(const std::string& name, link_type type = link_type::physical);

class network_bed {
public:
  /// Boot files go below `at`; empty: below a folder of this object's.
  explicit network_bed(const std::filesystem::path& at = {});
  ~network_bed();
  network_bed(const network_bed&) = delete;
  network_bed& operator=(const network_bed&) = delete;

  op_context context() {
    return {"pi-1", owned, {}, std::chrono::steady_clock::now() + std::chrono::minutes{10}};
  }
  outcome<observation> look(const desired_link& want);
  /// One look and one apply.
  outcome<void> converge(const desired_link& want);
  /// converge, and no difference afterwards.
  void must_converge(const desired_link& want);
  /// What differs, field by field; the reason where that is an obstacle.
  std::string differences(const desired_link& want);
  outcome<void> remove(const desired_link& want);

  temp_dir root; ///< of the boot files
  real_network device;
  memory_inventory owned;
  driver_of<network_reconciler<real_network>> agent;
};

} // namespace harmony::test
