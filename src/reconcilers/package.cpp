#include "reconcilers/package.hpp"

#include <utility>

#include "reconcilers/op_limits.hpp"

namespace harmony {

namespace {

using standing = package_condition;

const std::string all_packages = "the packages"; ///< what a turn is for: there is one transaction

std::vector<change> differences(const package_spec& spec, const package_info& found) {
  const bool there = found.condition != standing::absent;
  if (spec.state == package_state::absent) {
    if (!there)
      return {};
    return {{action::remove, "state", found.status, "absent"}};
  }
  std::vector<change> changes;
  if (!there)
    changes.push_back({action::create, "state", "absent", "present"});
  else if (found.condition == standing::broken)
    changes.push_back({action::replace, "state", found.status, "present"});
  else if (found.condition == standing::unconfigured)
    changes.push_back({action::update, "state", found.status, "present"});
  if (!spec.version.empty() && found.version != spec.version)
    changes.push_back(
      {there ? action::update : action::create, "version", found.version, spec.version});
  return changes;
}

} // namespace

outcome<package_info> package_operations::look(const std::string& package) {
  auto found = packages_.look({package});
  if (!found)
    return found.error();
  return std::move(found->front());
}

outcome<package_observed> package_operations::observe(const desired<package_spec>& want) {
  return look(want.spec.package);
}

outcome<std::vector<change>> package_operations::plan(const desired<package_spec>& want,
                                                      const package_observed& seen) {
  return differences(want.spec, seen);
}

outcome<void> package_operations::apply(const desired<package_spec>& want, op_context& ctx) {
  const auto& spec = want.spec;
  const auto limits = limits_of(ctx);
  const auto turn = turns_.take(all_packages, limits);
  if (!turn)
    return turn.error();
  // Looked at anew: the transaction before this one may have done it.
  const auto before = look(spec.package);
  if (!before)
    return before.error();
  const auto record = ctx.owned.find(want.id, spec.package);
  if (spec.state == package_state::absent) {
    if (auto gone = take_away(spec.package, limits); !gone)
      return gone;
    return record ? ctx.owned.release(want.id, spec.package) : outcome<void>{};
  }
  if (differences(spec, *before).empty())
    return {};
  if (!record) {
    const bool created = before->condition == standing::absent;
    if (auto claimed = ctx.owned.claim({want.id, spec.package, created, {}}); !claimed)
      return claimed;
  }
  auto done = bring(spec, *before, limits);
  const auto after = look(spec.package);
  // What is there counts: the package manager also fails for a package that is none of ours.
  if (after && differences(spec, *after).empty())
    return {};
  // A claim on what this agent did not make would turn somebody's package into the agent's.
  if (after && after->condition == standing::absent && !record)
    (void)ctx.owned.release(want.id, spec.package);
  if (done && after)
    return {ec::not_converged, "'" + spec.package + "' was installed, and is '" + after->status
                                 + "' at version '" + after->version + "'"};
  return done ? after.error() : done;
}

outcome<void> package_operations::bring(const package_spec& spec, package_info now,
                                        const op_limits& limits) {
  // Needs no repository, and nothing else works before it.
  if (now.interrupted || now.condition == standing::unconfigured) {
    auto finished = packages_.finish(limits);
    if (!finished && interrupts(finished.error()))
      return finished;
    auto then = look(spec.package);
    if (!then)
      return then.error();
    now = std::move(*then);
    if (differences(spec, now).empty())
      return {};
    // Without what it depends on it cannot be set up; the lists may have that.
    const bool repair = now.condition != standing::absent && now.condition != standing::installed;
    auto installed = install({spec.package, spec.version, repair}, limits);
    const bool unknown = !installed && installed.error().code == ec::package_not_found;
    return unknown && repair && !finished ? finished : installed;
  }
  return install({spec.package, spec.version, now.condition == standing::broken}, limits);
}

outcome<void> package_operations::install(const package_request& request, const op_limits& limits) {
  auto first = packages_.install(request, limits);
  if (first)
    return first;
  // Both mean that the lists may be old: repositories drop a version for the next.
  const auto code = first.error().code;
  if (code != ec::package_not_found && code != ec::download_failed)
    return first;
  auto fresh = packages_.refresh(limits);
  if (!fresh && interrupts(fresh.error()))
    return fresh;
  auto second = packages_.install(request, limits);
  if (second || fresh)
    return second;
  return {second.error().code,
          second.error().message + " (and the lists may be old: " + fresh.error().message + ")"};
}

outcome<void> package_operations::take_away(const std::string& package, const op_limits& limits) {
  auto now = look(package);
  if (!now)
    return now.error();
  if (now->condition == standing::absent)
    return {};
  if (now->interrupted) {
    auto finished = packages_.finish(limits);
    if (!finished && interrupts(finished.error()))
      return finished;
  }
  auto removed = packages_.remove(package, limits);
  now = look(package);
  if (!now)
    return now.error();
  if (now->condition == standing::absent)
    return {};
  if (!removed)
    return removed;
  return {ec::package_failed, "'" + package + "' is still '" + now->status
                                + "' after its removal: see /var/log/dpkg.log, and whether it is "
                                  "on hold"};
}

outcome<void> package_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto record = ctx.owned.find(owned.owner, owned.target);
  if (!record)
    return {};
  if (record->created) {
    const auto limits = limits_of(ctx);
    const auto turn = turns_.take(all_packages, limits);
    if (!turn)
      return turn.error();
    if (auto gone = take_away(owned.target, limits); !gone)
      return gone;
  }
  return ctx.owned.release(owned.owner, owned.target);
}

resource_state package_operations::report(const package_observed& seen) {
  return package_status{seen.version};
}

} // namespace harmony
