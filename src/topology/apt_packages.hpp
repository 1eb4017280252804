#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "topology/dpkg_database.hpp"
#include "topology/packages.hpp"
#include "topology/process_runner.hpp"

namespace harmony {

struct apt_config {
  /// What each command is started by, e.g. systemd-run for a control group of its own; empty: none.
  std::vector<std::string> launcher;
  /// How long another program may keep the package manager busy before a call gives up.
  std::chrono::seconds lock_patience{60};
  std::string dpkg_folder = "/var/lib/dpkg";
};

/// The packages of a Debian system, through apt-get and dpkg: never a question on a terminal, never
/// a package removed but the one named, conffiles that were changed on the device kept.
///
/// Interrupted, apt-get is asked to stop after the step it is at; what does not end then is killed.
/// dpkg's own journal makes that safe, and `look` shows what is left to be done.
class apt_packages final : public package_manager {
public:
  explicit apt_packages(apt_config config = {});

  outcome<std::vector<package_info>> look(const std::vector<std::string>& packages) override;
  outcome<void> install(const package_request& request, const op_limits& limits) override;
  outcome<void> refresh(const op_limits& limits) override;
  outcome<void> remove(const std::string& package, const op_limits& limits) override;
  outcome<void> finish(const op_limits& limits) override;

private:
  /// The arguments that every apt-get gets.
  [[nodiscard]] std::vector<std::string> apt_get(const op_limits& limits) const;

  /// One run to its end, whatever that is; fails where it was interrupted. `doing` begins messages.
  outcome<process_result> run(const std::vector<std::string>& arguments, const op_limits& limits,
                              const std::string& doing) const;

  /// Runs a command that changes the device; again while another program holds the lock.
  outcome<void> change(const std::vector<std::string>& arguments, const op_limits& limits,
                       const std::string& doing) const;

  apt_config config_;
  dpkg_database database_;
};

} // namespace harmony
