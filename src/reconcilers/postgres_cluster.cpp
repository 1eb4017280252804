#include "reconcilers/postgres_cluster.hpp"

#include "reconcilers/op_limits.hpp"

namespace harmony {

namespace {

call_limits calls_of(const op_context& ctx) {
  return {ctx.cancel, ctx.deadline};
}

} // namespace

outcome<postgres_cluster_observed>
postgres_cluster_operations::observe(const desired<postgres_cluster_spec>& want,
                                     const op_context& ctx) {
  postgres_cluster_observed seen;
  auto member = runtime_.look(want.spec.cluster);
  if (!member)
    return member.error();
  seen.member = std::move(*member);
  auto guard = guard_.observe(want, ctx);
  if (!guard)
    return guard.error();
  seen.guard = std::move(*guard);
  seen.recorded = ctx.owned.find(want.id, want.spec.cluster).has_value();
  return seen;
}

outcome<void> postgres_cluster_operations::apply(const desired<postgres_cluster_spec>& want,
                                                 op_context& ctx) {
  const auto& cluster = want.spec.cluster;
  const auto turn = turns_.take(cluster, limits_of(ctx));
  if (!turn)
    return turn.error();
  const auto now = observe(want, ctx);
  if (!now)
    return now.error();
  const auto todo = member_differences(want, *now);
  if (!todo)
    return todo.error();
  if (!now->recorded)
    if (auto done = ctx.owned.claim({want.id, cluster, true, {}}); !done)
      return done;
  if (auto done = release_former(want, ctx); !done)
    return done;
  const bool relocated = is_relocated(want.spec, *now);
  if (relocated) {
    if (auto done = runtime_.end(cluster, calls_of(ctx)); !done)
      return done;
    if (guard_.managed())
      if (auto done = guard_.stop(cluster, ctx); !done)
        return done;
  }
  if (auto done = runtime_.prepare(want.spec, calls_of(ctx)); !done)
    return done;
  if (guard_.managed())
    if (auto done = guard_.bring_up(want, now->guard, ctx); !done)
      return done;
  if (!relocated && now->member.runs == want.spec)
    return {};
  return runtime_.run(want.spec, calls_of(ctx));
}

/// A member that changed its cluster's name keeps its data directory, which one guard holds.
outcome<void>
postgres_cluster_operations::release_former(const desired<postgres_cluster_spec>& want,
                                            op_context& ctx) {
  for (const auto& former : ctx.owned.of(want.id))
    if (former.target != want.spec.cluster)
      if (auto done = end(former, ctx); !done)
        return done;
  return {};
}

outcome<void> postgres_cluster_operations::end(const owned_target& owned, op_context& ctx) {
  if (auto done = runtime_.end(owned.target, calls_of(ctx)); !done)
    return done;
  if (guard_.managed())
    if (auto done = guard_.remove(owned, ctx); !done)
      return done;
  return ctx.owned.release(owned.owner, owned.target);
}

outcome<void> postgres_cluster_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto turn = turns_.take(owned.target, limits_of(ctx));
  if (!turn)
    return turn.error();
  return end(owned, ctx);
}

resource_state postgres_cluster_operations::report(const postgres_cluster_observed& seen) {
  return cluster_state{seen.member.role, seen.guard.managed ? seen.guard.unit.active_state : "",
                       seen.member.detail};
}

} // namespace harmony
