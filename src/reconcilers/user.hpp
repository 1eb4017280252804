#pragma once

#include <string>
#include <vector>

#include "reconcilers/reconciler.hpp"
#include "reconcilers/turns.hpp"
#include "topology/accounts.hpp"

namespace harmony {

/// An account as it is, and whose it is.
struct user_observed {
  account_info found;
  bool owned = false;   ///< by this resource, after the inventory
  bool created = false; ///< by this resource; otherwise adopted
  bool lost = false;    ///< the inventory's former records are: it may have been owned

  friend bool operator==(const user_observed&, const user_observed&) = default;
};

/// The work of `user_reconciler`, for any account manager. docs/reconcilers/user.md is its
/// specification.
///
/// Invariants:
/// - an account, and a group of its name, is recorded as created before it is made, and only if it
///   was not there;
/// - what is not this resource's is neither changed nor removed, unless it adopts it;
/// - no membership, home or file is ever taken away.
class user_operations {
public:
  explicit user_operations(account_manager& accounts) : accounts_(accounts) {}

  outcome<user_observed> observe(const desired<user_spec>& want, const op_context& ctx);
  static outcome<std::vector<change>> plan(const desired<user_spec>& want,
                                           const user_observed& seen);
  outcome<void> apply(const desired<user_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const user_observed& seen);

private:
  outcome<void> check(const user_spec& spec, const user_observed& now);
  outcome<void> own_group(const desired<user_spec>& want, op_context& ctx);
  outcome<void> bring(const desired<user_spec>& want, const user_observed& now, op_context& ctx);
  void release_unused(const desired<user_spec>& want, op_context& ctx);

  account_manager& accounts_;
  turns turns_;
};

/// Kind `User`.
template <has_accounts T>
class user_reconciler {
public:
  using spec_type = user_spec;
  using observed_type = user_observed;
  static constexpr runtime_kind runtime = runtime_kind::accounts;

  explicit user_reconciler(T& topology) : work_(topology.accounts()) {}

  static std::string target(const desired<user_spec>& want) { return want.spec.user; }

  outcome<user_observed> observe(const desired<user_spec>& want, op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<user_spec>& want,
                                           const user_observed& seen) {
    return user_operations::plan(want, seen);
  }
  outcome<void> apply(const desired<user_spec>& want, const std::vector<change>& /*todo*/,
                      op_context& ctx) {
    return work_.apply(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const user_observed& seen) { return user_operations::report(seen); }

private:
  user_operations work_;
};

} // namespace harmony
