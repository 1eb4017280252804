#pragma once

// The agent as it is installed: its unit, its configuration, the device's own service manager.

#include <string>
#include <vector>

#include "support/agent_process.hpp"
#include "support/shell.hpp"

namespace harmony::test {

/// Installs what was built to /usr, as a package would; once a device.
void install_agent();

/// The installed unit of the system's service manager with a configuration of the test's own.
/// Stopped, and its configuration and drop-ins removed, with this object.
class installed_agent {
public:
  /// `extra`: lines of agent.toml beside the id, the store and a short heartbeat interval.
  explicit installed_agent(const std::string& extra = {},
                           const std::string& store_url = "dir:/srv/h-store");
  ~installed_agent();
  installed_agent(const installed_agent&) = delete;
  installed_agent& operator=(const installed_agent&) = delete;

  /// Adds a file to the unit's drop-in folder.
  void drop_in(const std::string& name, const std::string& content);
  /// Starts it; requires that it says READY.
  void start();
  /// A property of the unit, as `systemctl show` tells it.
  [[nodiscard]] static std::string property(const std::string& name);
  /// What systemd-analyze calls the unit's exposure, times ten: 0 (none) to 100.
  [[nodiscard]] static int exposure();

  /// The store's side of it: manifests and status.
  agent_process& remote() { return remote_; }

private:
  agent_process remote_;
};

} // namespace harmony::test
