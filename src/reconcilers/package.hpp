#pragma once

#include <string>
#include <vector>

#include "reconcilers/reconciler.hpp"
#include "reconcilers/turns.hpp"
#include "topology/packages.hpp"

namespace harmony {

/// What the package manager's records say of a package.
using package_observed = package_info;

/// The work of `package_reconciler`, for any package manager. docs/reconcilers/package.md is its
/// specification.
///
/// Invariants:
/// - one transaction at a time;
/// - a package is recorded as created before it is installed, and only if it was not there;
/// - no other package is removed.
class package_operations {
public:
  explicit package_operations(package_manager& packages) : packages_(packages) {}

  outcome<package_observed> observe(const desired<package_spec>& want);
  static outcome<std::vector<change>> plan(const desired<package_spec>& want,
                                           const package_observed& seen);
  outcome<void> apply(const desired<package_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const package_observed& seen);

private:
  outcome<package_info> look(const std::string& package);
  outcome<void> bring(const package_spec& spec, package_info now, const op_limits& limits);
  outcome<void> install(const package_request& request, const op_limits& limits);
  outcome<void> take_away(const std::string& package, const op_limits& limits);

  package_manager& packages_;
  turns turns_;
};

/// Kind `Package`.
template <has_packages T>
class package_reconciler {
public:
  using spec_type = package_spec;
  using observed_type = package_observed;
  static constexpr runtime_kind runtime = runtime_kind::packages;

  explicit package_reconciler(T& topology) : work_(topology.packages()) {}

  static std::string target(const desired<package_spec>& want) { return want.spec.package; }

  outcome<package_observed> observe(const desired<package_spec>& want, op_context& /*ctx*/) {
    return work_.observe(want);
  }
  static outcome<std::vector<change>> plan(const desired<package_spec>& want,
                                           const package_observed& seen) {
    return package_operations::plan(want, seen);
  }
  outcome<void> apply(const desired<package_spec>& want, const std::vector<change>& /*todo*/,
                      op_context& ctx) {
    return work_.apply(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const package_observed& seen) {
    return package_operations::report(seen);
  }

private:
  package_operations work_;
};

} // namespace harmony
