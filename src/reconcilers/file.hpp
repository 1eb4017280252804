#pragma once

#include <string>
#include <vector>

#include "reconcilers/file_entry.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/content_cache.hpp"
#include "topology/files.hpp"

namespace harmony {

using file_observed = observed_entry;

/// The work of `file_reconciler`, for any topology. docs/reconcilers/file.md is its specification.
///
/// Invariants:
/// - a reader of the path sees the old content or the new one, whole, with its mode and owner;
/// - nothing is created that the inventory does not claim already;
/// - what is not this resource's is neither changed nor removed, unless it adopts it.
class file_operations {
public:
  /// `cache`: where remote content is fetched to ahead of a change; null: nowhere.
  explicit file_operations(file_system& fs, content_cache* cache = nullptr)
    : fs_(fs), cache_(cache) {}

  outcome<file_observed> observe(const desired<file_spec>& want, op_context& ctx);
  static outcome<std::vector<change>> plan(const desired<file_spec>& want,
                                           const file_observed& seen);
  outcome<void> apply(const desired<file_spec>& want, const std::vector<change>& todo,
                      op_context& ctx);
  /// Precondition: the spec has a `source`.
  outcome<void> fetch(const desired<file_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const file_observed& seen);

private:
  outcome<void> take_back(const desired<file_spec>& want, op_context& ctx);
  outcome<void> apply_at(const place& at, const desired<file_spec>& want,
                         const std::vector<change>& todo, op_context& ctx);
  outcome<void> put(const place& at, const file_spec& spec, const std::vector<change>& todo,
                    const file_info& now, bool may_replace, op_context& ctx, bool& placed);
  outcome<void> replace(const place& at, const file_spec& spec, bool may_replace, op_context& ctx,
                        bool& placed);
  outcome<void> fill(const temporary& file, const file_spec& spec, op_context& ctx);
  outcome<void> fill_inline(const temporary& file, const file_spec& spec, const op_limits& limits);
  outcome<void> fill_remote(const temporary& file, const remote_content& source,
                            const op_limits& limits);

  file_system& fs_;
  content_cache* cache_;
  turns turns_;
};

/// Where the topology has a cache of remote content, that; null otherwise.
template <class T>
content_cache* content_of(T& topology) {
  if constexpr (requires { topology.content(); })
    return &topology.content();
  else
    return nullptr;
}

/// Kind `File`.
template <has_files T>
class file_reconciler {
public:
  using spec_type = file_spec;
  using observed_type = file_observed;
  static constexpr runtime_kind runtime = runtime_kind::files;

  explicit file_reconciler(T& topology) : work_(topology.files(), content_of(topology)) {}

  static std::string target(const desired<file_spec>& want) { return want.spec.path; }

  outcome<file_observed> observe(const desired<file_spec>& want, op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<file_spec>& want,
                                           const file_observed& seen) {
    return file_operations::plan(want, seen);
  }
  outcome<void> apply(const desired<file_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) {
    return work_.apply(want, todo, ctx);
  }
  static bool fetches(const file_spec& spec) { return spec.source.has_value(); }
  outcome<void> fetch(const desired<file_spec>& want, op_context& ctx) {
    return work_.fetch(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const file_observed& seen) { return file_operations::report(seen); }

private:
  file_operations work_;
};

} // namespace harmony
