#include "topology/systemd_config.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace harmony {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string{} : std::string{value};
}

std::filesystem::path home() {
  if (auto set = environment("HOME"); !set.empty())
    return set;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0
      && found != nullptr)
    return found->pw_dir;
  return "/";
}

std::filesystem::path user_runtime_folder() {
  const auto set = environment("XDG_RUNTIME_DIR");
  return set.empty() ? "/run/user/" + std::to_string(::getuid()) : set;
}

} // namespace

std::string bus_address_of(const systemd_config& config) {
  if (!config.bus_address.empty() || config.manager == systemd_config::scope::system)
    return config.bus_address;
  if (auto session = environment("DBUS_SESSION_BUS_ADDRESS"); !session.empty())
    return session;
  return "unix:path=" + (user_runtime_folder() / "bus").string();
}

std::filesystem::path unit_folder_of(const systemd_config& config) {
  if (!config.unit_folder.empty())
    return config.unit_folder;
  if (config.manager == systemd_config::scope::system)
    return "/etc/systemd/system";
  const auto set = environment("XDG_CONFIG_HOME");
  return (set.empty() ? home() / ".config" : std::filesystem::path{set}) / "systemd" / "user";
}

std::filesystem::path runtime_folder_of(const systemd_config& config) {
  return config.manager == systemd_config::scope::system ? "/run" : user_runtime_folder();
}

} // namespace harmony
