#pragma once

// A real service manager, the system's or a user's, with units of the test's own that go with it.
// Runs as root inside a disposable device.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "reconcilers/driver.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/hint_log.hpp"
#include "support/memory_inventory.hpp"
#include "support/shell.hpp"
#include "topology/systemd_manager.hpp"
#include "topology/systemd_monitor.hpp"

namespace harmony::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using clock = std::chrono::steady_clock;

struct real_topology {
  explicit real_topology(const systemd_config& config) : manager(config) {}
  systemd_manager& systemd() { return manager; }
  systemd_manager& jobs() { return manager; }
  systemd_manager manager;
};

using desired_unit = desired<systemd_unit_spec>;

inline const std::string sleeper = "[Service]\nExecStart=/bin/sleep infinity\n";

inline desired_unit unit_of(const std::string& unit, std::optional<std::string> content) {
  return {
    {"SystemdUnit", unit.substr(0, unit.find('.'))}, {unit, std::move(content), {}, {}}, {}, {}};
}

/// A manager, an inventory and a reconciler; what they made is removed at the end.
class device_fixture {
public:
  explicit device_fixture(const systemd_config& config = {});
  ~device_fixture();
  device_fixture(const device_fixture&) = delete;
  device_fixture& operator=(const device_fixture&) = delete;

  op_context context(milliseconds limit = seconds{20}) {
    return {"dev", owned, {}, clock::now() + limit};
  }

  outcome<systemd_unit_observed> look(const desired_unit& want) {
    auto ctx = context();
    return reconciler.observe(want, ctx);
  }

  /// The changes that a look finds. Requires that looking and planning succeed.
  std::vector<change> plan(const desired_unit& want);
  /// Names of the changed fields.
  std::vector<std::string> fields(const desired_unit& want);
  /// One look, plan and apply.
  outcome<void> converge(const desired_unit& want, milliseconds limit = seconds{20});
  /// converge, with success and an empty plan afterwards required.
  void must_converge(const desired_unit& want);
  unit_properties properties(const std::string& unit);
  outcome<void> remove(const desired_unit& want);
  [[nodiscard]] std::filesystem::path file(const std::string& unit) const {
    return topology.manager.unit_folder() / unit;
  }

  real_topology topology;
  memory_inventory owned;
  systemd_unit_reconciler<real_topology> reconciler{topology};
};

/// The same within ten seconds.
template <class F>
bool eventually(F done) {
  return eventually(done, seconds{10});
}

} // namespace harmony::test
