#pragma once

// A Debian device with a repository of the test's own and no other. Runs as root inside a
// disposable device, and nowhere else.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "reconcilers/driver.hpp"
#include "reconcilers/package.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/hint_log.hpp"
#include "support/memory_inventory.hpp"
#include "support/shell.hpp"
#include "topology/apt_packages.hpp"

namespace harmony::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using clock = std::chrono::steady_clock;

/// Requires that this is a disposable device: what follows changes the system.
void require_device();

struct test_package {
  std::string name;
  std::string version = "1.0";
  std::string fields;   ///< more lines of its control file, each with its newline
  std::string postinst; ///< script; empty: none
  std::string conffile; ///< content of /etc/NAME.conf; empty: none
  std::string architecture = "all";
};

/// Builds the package and puts it into the repository; apt sees it with the next refresh.
void publish(const test_package& p);

/// An empty repository, no package of this test's on the device, no list read yet.
void reset_repository();

/// The same within ten seconds.
template <class F>
bool eventually(F done) {
  return eventually(done, seconds{10});
}

/// Kills a process and all below it, as the end of a control group would.
void kill_tree(pid_t pid);

struct apt_device {
  explicit apt_device(const apt_config& config) : manager(config) {}
  package_manager& packages() { return manager; }
  apt_packages manager;
};

/// A resource's view of the device: the agent's inventory, and a reconciler.
class package_bed {
public:
  explicit package_bed(const apt_config& config = {});

  static desired<package_spec> want(const std::string& package, const std::string& version = {},
                                    package_state state = package_state::present) {
    return {{"Package", package}, {package, state, version}, {}, {}};
  }

  outcome<void> converge(const desired<package_spec>& want, milliseconds limit = seconds{60});
  void must_converge(const desired<package_spec>& want);
  outcome<void> leave(const desired<package_spec>& want, milliseconds limit = seconds{60});
  package_info look(const std::string& package);
  std::vector<change> plan(const desired<package_spec>& want);

  memory_inventory owned;
  apt_device device;
  package_reconciler<apt_device> packages{device};

private:
  op_context context(milliseconds limit) { return {"dev", owned, {}, clock::now() + limit}; }
};

} // namespace harmony::test
