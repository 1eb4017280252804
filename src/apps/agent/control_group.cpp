#include "apps/agent/control_group.hpp"

#include <unistd.h>

namespace harmony {

namespace {

constexpr auto systemd_run = "/usr/bin/systemd-run";

} // namespace

std::vector<std::string> own_control_group(systemd_mode mode) {
  if (mode != systemd_mode::system || ::access(systemd_run, X_OK) != 0)
    return {};
  return {systemd_run, "--scope", "--quiet", "--collect", "--slice=system.slice", "--"};
}

} // namespace harmony
