#pragma once

// The capability `has_packages`: what a reconciler may do with the distribution's packages.

#include <concepts>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "topology/files.hpp"

namespace harmony {

enum class package_condition {
  absent,       ///< not there; its configuration may be
  broken,       ///< unpacking or removing it was interrupted: it must be installed anew
  unconfigured, ///< unpacked; setting it up was interrupted or failed
  installed
};

/// What the package manager's own records say of a package.
struct package_info {
  package_condition condition = package_condition::absent;
  std::string version;      ///< empty when absent
  std::string status;       ///< the package manager's own word, e.g. "half-configured"
  bool interrupted = false; ///< a transaction (of any package) runs, or was cut off

  friend bool operator==(const package_info&, const package_info&) = default;
};

struct package_request {
  std::string package; ///< name, or name:architecture
  std::string version; ///< exact; empty: the newest
  /// Install it anew although it is there, with whatever it lacks: it was left half-way.
  bool repair = false;

  friend bool operator==(const package_request&, const package_request&) = default;
};

/// Whether such a failure says only that the work was cut short.
inline bool interrupts(const failure& why) {
  return why.code == ec::canceled || why.code == ec::timed_out;
}

/// The port. Calls block and are thread-safe. All but `look` change the device, fail with canceled
/// and timed_out as `limits` say, with timed_out also where another program keeps the package
/// manager busy, with permission_denied without root, and otherwise with package_failed and the
/// package manager's own words. Interrupted at any point, even by a power cut, they leave a state
/// that `look` shows and `finish` or another `install` completes.
class package_manager {
public:
  virtual ~package_manager() = default;

  /// What is known of each of `packages`, in their order, by one read. Fails with
  /// runtime_unavailable where the records cannot be read.
  virtual outcome<std::vector<package_info>> look(const std::vector<std::string>& packages) = 0;

  /// Installs the package with what it depends on; changes its version up or down when one is
  /// asked for. Never removes a package. Fails with package_not_found when the lists have none
  /// like it, and with download_failed when it could not be fetched.
  virtual outcome<void> install(const package_request& request, const op_limits& limits) = 0;

  /// Reads the lists of the repositories anew.
  virtual outcome<void> refresh(const op_limits& limits) = 0;

  /// Removes this package and no other; its configuration stays. Fails with package_failed when
  /// another one needs it, or the system does.
  virtual outcome<void> remove(const std::string& package, const op_limits& limits) = 0;

  /// Sets up everything that is unpacked and not set up.
  virtual outcome<void> finish(const op_limits& limits) = 0;
};

/// A topology that can manage packages.
template <class T>
concept has_packages = requires(T& t) {
  { t.packages() } -> std::convertible_to<package_manager&>;
};

} // namespace harmony
