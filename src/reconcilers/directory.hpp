#pragma once

#include <string>
#include <vector>

#include "reconcilers/file_entry.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/files.hpp"

namespace harmony {

using directory_observed = observed_entry;

/// The work of `directory_reconciler`, for any topology. docs/reconcilers/directory.md is its
/// specification.
///
/// Invariant: what lies in the folder is never touched; a folder with something in it stays.
class directory_operations {
public:
  explicit directory_operations(file_system& fs) : fs_(fs) {}

  outcome<directory_observed> observe(const desired<directory_spec>& want, op_context& ctx);
  static outcome<std::vector<change>> plan(const desired<directory_spec>& want,
                                           const directory_observed& seen);
  outcome<void> apply(const desired<directory_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const directory_observed& seen);

private:
  outcome<void> create(const place& at, const desired<directory_spec>& want, bool owned,
                       op_context& ctx);

  file_system& fs_;
  turns turns_;
};

/// Kind `Directory`.
template <has_files T>
class directory_reconciler {
public:
  using spec_type = directory_spec;
  using observed_type = directory_observed;
  static constexpr runtime_kind runtime = runtime_kind::files;

  explicit directory_reconciler(T& topology) : work_(topology.files()) {}

  static std::string target(const desired<directory_spec>& want) { return want.spec.path; }

  outcome<directory_observed> observe(const desired<directory_spec>& want, op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<directory_spec>& want,
                                           const directory_observed& seen) {
    return directory_operations::plan(want, seen);
  }
  outcome<void> apply(const desired<directory_spec>& want, const std::vector<change>& /*todo*/,
                      op_context& ctx) {
    return work_.apply(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const directory_observed& seen) {
    return directory_operations::report(seen);
  }

private:
  directory_operations work_;
};

} // namespace harmony
