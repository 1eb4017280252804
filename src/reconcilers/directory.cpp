#include "reconcilers/directory.hpp"

#include <optional>
#include <utility>

#include "reconcilers/op_limits.hpp"
#include "topology/files_posix.hpp"

namespace harmony {

static_assert(reconciler<directory_reconciler<posix_device>>);

namespace {

/// Even where a folder of this resource's stood, something else is left alone: a symlink may be
/// where somebody moved the data to.
outcome<void> check_type(const std::string& path, file_type type) {
  if (type == file_type::absent || type == file_type::directory)
    return {};
  return {ec::name_conflict, "'" + path + "' is " + std::string{describe(type)}
                               + ", not a directory: remove it, or use another path"};
}

failure foreign(const std::string& path, const std::string& how) {
  return {ec::name_conflict, "'" + path + "' exists, is not this agent's and " + how
                               + ": remove it, or set adopt: true"};
}

} // namespace

outcome<directory_observed> directory_operations::observe(const desired<directory_spec>& want,
                                                          op_context& ctx) {
  directory_observed seen;
  seen.owned = ctx.owned.find(want.id, want.spec.path).has_value();
  seen.lost = ctx.owned.rebuilding();
  const auto at = fs_.open_place(want.spec.path);
  // Without its folder it is absent; creating it will say what to do about that.
  if (!at && at.error().code != ec::not_found)
    return at.error();
  if (at) {
    auto found = fs_.look(*at);
    if (!found)
      return found.error();
    seen.found = std::move(*found);
  }
  return observe_accounts(fs_, std::move(seen), want.spec.owner, want.spec.group);
}

outcome<std::vector<change>> directory_operations::plan(const desired<directory_spec>& want,
                                                        const directory_observed& seen) {
  const auto& spec = want.spec;
  if (auto fits = check_type(spec.path, seen.found.type); !fits)
    return fits.error();
  if (seen.found.type == file_type::absent) {
    std::vector<change> changes{{action::create, "mode", {}, spec.mode}};
    if (!spec.owner.empty())
      changes.push_back({action::create, "owner", {}, spec.owner});
    if (!spec.group.empty())
      changes.push_back({action::create, "group", {}, spec.group});
    return changes;
  }
  auto changes = entry_differences(spec.mode, seen);
  if (changes && !changes->empty() && !seen.owned && !spec.adopt)
    return foreign(spec.path, "differs in " + list_fields(*changes));
  if (changes && changes->empty() && !seen.owned && seen.lost)
    changes->push_back(taken_back());
  return changes;
}

outcome<void> directory_operations::apply(const desired<directory_spec>& want, op_context& ctx) {
  const auto& spec = want.spec;
  const auto turn = turns_.take(spec.path, limits_of(ctx));
  if (!turn)
    return turn.error();
  const auto at = fs_.open_place(spec.path);
  if (!at)
    return {at.error().code, "cannot create '" + spec.path + "': " + at.error().message};
  const auto mode = parse_mode(spec.mode);
  if (!mode)
    return mode.error();
  const auto ids = fs_.resolve(spec.owner, spec.group);
  if (!ids)
    return ids.error();
  // Looked at anew: the plan may be older than what stands there now.
  const auto now = fs_.look(*at);
  if (!now)
    return now.error();
  if (auto fits = check_type(spec.path, now->type); !fits)
    return fits;
  const bool owned = ctx.owned.find(want.id, spec.path).has_value();
  if (now->type == file_type::absent) {
    if (auto made = create(*at, want, owned, ctx); !made)
      return made;
  } else if (!owned) {
    const bool equal = now->mode == *mode && now->uid == ids->uid && now->gid == ids->gid;
    if (!spec.adopt && !(equal && ctx.owned.rebuilding()))
      return foreign(spec.path, "has come into being meanwhile");
    if (auto claimed = ctx.owned.claim({want.id, spec.path, false, {}}); !claimed)
      return claimed;
  }
  if (auto done = fs_.amend(*at, *ids, *mode); !done)
    return done;
  return now->type == file_type::absent ? fs_.sync_folder(*at) : outcome<void>{};
}

outcome<void> directory_operations::create(const place& at, const desired<directory_spec>& want,
                                           bool owned, op_context& ctx) {
  if (!owned)
    if (auto claimed = ctx.owned.claim({want.id, want.spec.path, true, {}}); !claimed)
      return claimed;
  auto made = fs_.make_folder(at);
  if (made || owned)
    return made;
  // It may have been made all the same, where an answer was lost (a network's file system).
  const auto now = fs_.look(at);
  const bool maybe_ours =
    made.error().code != ec::name_conflict && (!now || now->type == file_type::directory);
  // A claim on what this agent did not make would turn somebody's folder into the agent's.
  if (!maybe_ours)
    (void)ctx.owned.release(want.id, want.spec.path);
  return made;
}

outcome<void> directory_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto record = ctx.owned.find(owned.owner, owned.target);
  if (!record)
    return {};
  const auto turn = turns_.take(owned.target, limits_of(ctx));
  if (!turn)
    return turn.error();
  const auto at = fs_.open_place(owned.target);
  const bool elsewhere =
    !at && (at.error().code == ec::not_found || at.error().code == ec::unsafe_path);
  if (!at && !elsewhere)
    return at.error();
  if (at && record->created) {
    const auto now = fs_.look(*at);
    if (!now)
      return now.error();
    if (now->type == file_type::directory) {
      const auto gone = fs_.remove_folder(*at);
      if (!gone)
        return gone.error();
      if (auto durable = fs_.sync_folder(*at); !durable)
        return durable;
    }
  }
  return ctx.owned.release(owned.owner, owned.target);
}

resource_state directory_operations::report(const directory_observed& seen) {
  const bool present = seen.found.type == file_type::directory;
  return directory_state{present, present ? format_mode(seen.found.mode) : std::string{}};
}

} // namespace harmony
