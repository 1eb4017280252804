#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace harmony {

/// Which service manager to talk to, and how.
struct systemd_config {
  enum class scope { system, user };

  scope manager = scope::system;
  /// A D-Bus address. Empty: the system bus, or for a user manager DBUS_SESSION_BUS_ADDRESS, or
  /// the bus in XDG_RUNTIME_DIR.
  std::string bus_address;
  /// Empty: /etc/systemd/system, or for a user manager $XDG_CONFIG_HOME/systemd/user, or
  /// ~/.config/systemd/user.
  std::filesystem::path unit_folder;
  /// A reload is made once nobody else asked for one for so long. It costs 50 ms and more, so those
  /// who change units at the same time share one.
  std::chrono::milliseconds reload_quiet{10};
};

/// The bus address that `config` means; empty: the system bus.
std::string bus_address_of(const systemd_config& config);

/// The unit folder that `config` means.
std::filesystem::path unit_folder_of(const systemd_config& config);

/// Where the manager's runtime files lie: /run, or for a user manager $XDG_RUNTIME_DIR.
std::filesystem::path runtime_folder_of(const systemd_config& config);

} // namespace harmony
