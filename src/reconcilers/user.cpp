#include "reconcilers/user.hpp"

#include <algorithm>
#include <utility>

#include "reconcilers/op_limits.hpp"

namespace harmony {

namespace {

const std::string all_accounts = "the accounts"; ///< what a turn is for: they share their files

/// The note of a record whose resource made the group of the account's name as well.
const std::string with_group = "group";

/// The primary group that `spec` asks for; empty: whichever it is. An account that is adopted has
/// one already.
std::string wanted_group(const user_spec& spec, bool created) {
  if (!spec.group.empty())
    return spec.group;
  return created ? spec.user : std::string{};
}

std::vector<std::string> missing_groups(const user_spec& spec, const account_info& found) {
  std::vector<std::string> missing;
  for (const auto& each : spec.groups)
    if (each != found.group
        && std::find(found.groups.begin(), found.groups.end(), each) == found.groups.end())
      missing.push_back(each);
  return missing;
}

std::vector<change> creation(const user_spec& spec) {
  std::vector<change> changes{{action::create, "user", {}, spec.user}};
  const auto add = [&](const char* field, const std::string& to) {
    if (!to.empty())
      changes.push_back({action::create, field, {}, to});
  };
  add("uid", spec.uid ? std::to_string(*spec.uid) : std::string{});
  add("group", wanted_group(spec, true));
  add("groups", group_list(spec.groups));
  add("home", spec.home.value_or(""));
  add("shell", spec.shell.value_or(""));
  add("comment", spec.comment);
  return changes;
}

std::vector<change> differences(const user_spec& spec, const user_observed& seen) {
  const auto& found = seen.found;
  if (!found.present)
    return creation(spec);
  std::vector<change> changes;
  const auto compare = [&](const char* field, const std::string& from, const std::string& to) {
    if (from != to)
      changes.push_back({action::update, field, from, to});
  };
  if (spec.uid)
    compare("uid", std::to_string(found.uid), std::to_string(*spec.uid));
  if (const auto group = wanted_group(spec, seen.created); !group.empty())
    compare("group", found.group, group);
  if (const auto missing = missing_groups(spec, found); !missing.empty())
    changes.push_back(
      {action::update, "groups", group_list(found.groups), "with " + group_list(missing)});
  compare("home", found.home, spec.home.value_or(found.home));
  compare("shell", found.shell, spec.shell.value_or(found.shell));
  compare("comment", found.comment, spec.comment.empty() ? found.comment : spec.comment);
  return changes;
}

/// Whether it is held from now on because it equals its manifest and all records were lost. It
/// counts as adopted: never removed.
bool is_taken_back(const user_spec& spec, const user_observed& seen) {
  return seen.lost && !seen.owned && seen.found.present && differences(spec, seen).empty();
}

/// Whether this resource may change the account that it found.
outcome<void> check_ownership(const user_spec& spec, const user_observed& seen) {
  const auto& found = seen.found;
  if (!found.present)
    return {};
  if (!seen.owned && !spec.adopt && !is_taken_back(spec, seen))
    return {ec::name_conflict, "account '" + spec.user
                                 + "' exists and is not this agent's: remove it, use another "
                                   "name, or set adopt: true"};
  // Its files would be nobody's.
  if (spec.uid && *spec.uid != found.uid && !seen.created)
    return {ec::name_conflict, "account '" + spec.user + "' has uid " + std::to_string(found.uid)
                                 + " and not " + std::to_string(*spec.uid)
                                 + ", and was not made by this agent: leave uid out, or change it "
                                   "by hand together with the owner of its files"};
  return {};
}

new_account account_of(const user_spec& spec) {
  return {spec.user,    wanted_group(spec, true),
          spec.uid,     spec.groups,
          spec.home,    spec.shell,
          spec.comment, spec.system};
}

account_change change_of(const user_spec& spec, const user_observed& now) {
  const auto& found = now.found;
  account_change what;
  if (spec.uid && *spec.uid != found.uid)
    what.uid = spec.uid;
  if (const auto group = wanted_group(spec, now.created); group != found.group)
    what.group = group;
  what.add_groups = missing_groups(spec, found);
  if (spec.home && *spec.home != found.home)
    what.home = spec.home;
  if (spec.shell && *spec.shell != found.shell)
    what.shell = spec.shell;
  if (spec.comment != found.comment)
    what.comment = spec.comment;
  return what;
}

} // namespace

outcome<user_observed> user_operations::observe(const desired<user_spec>& want,
                                                const op_context& ctx) {
  auto found = accounts_.look(want.spec.user);
  if (!found)
    return found.error();
  const auto record = ctx.owned.find(want.id, want.spec.user);
  return user_observed{std::move(*found), record.has_value(), record && record->created,
                       ctx.owned.rebuilding()};
}

outcome<std::vector<change>> user_operations::plan(const desired<user_spec>& want,
                                                   const user_observed& seen) {
  if (auto may = check_ownership(want.spec, seen); !may)
    return may.error();
  if (is_taken_back(want.spec, seen))
    return std::vector<change>{{action::update, "ownership", "not on record", "on record"}};
  return differences(want.spec, seen);
}

outcome<void> user_operations::apply(const desired<user_spec>& want, op_context& ctx) {
  const auto turn = turns_.take(all_accounts, limits_of(ctx));
  if (!turn)
    return turn.error();
  // Looked at anew: the plan may be older than what is there now.
  const auto now = observe(want, ctx);
  if (!now)
    return now.error();
  if (auto may = check(want.spec, *now); !may)
    return may;
  if (is_taken_back(want.spec, *now))
    return ctx.owned.claim({want.id, want.spec.user, false, {}});
  if (differences(want.spec, *now).empty())
    return {};
  auto done = bring(want, *now, ctx);
  if (!done) {
    if (!now->owned)
      release_unused(want, ctx);
    return done;
  }
  const auto after = observe(want, ctx);
  if (!after)
    return after.error();
  const auto left = differences(want.spec, *after);
  return left.empty()
           ? outcome<void>{}
           : failure{ec::not_converged, "account '" + want.spec.user
                                          + "' was changed and still differs in " + describe(left)};
}

outcome<void> user_operations::check(const user_spec& spec, const user_observed& now) {
  if (auto may = check_ownership(spec, now); !may)
    return may;
  auto named = spec.groups;
  if (!spec.group.empty())
    named.push_back(spec.group);
  for (const auto& each : named) {
    const auto there = accounts_.has_group(each);
    if (!there)
      return there.error();
    // The one of its own name is made with it.
    if (!*there && (each != spec.user || each == spec.group))
      return {ec::no_such_user, "group '" + each
                                  + "' does not exist on this device: create it, or name "
                                    "another group"};
  }
  if (!spec.uid || (now.found.present && now.found.uid == *spec.uid))
    return {};
  const auto holder = accounts_.holder(*spec.uid);
  if (!holder)
    return holder.error();
  if (!holder->empty() && *holder != spec.user)
    return {ec::account_failed, "uid " + std::to_string(*spec.uid) + " of account '" + spec.user
                                  + "' is taken by account '" + *holder
                                  + "': use another number, or leave it out"};
  return {};
}

outcome<void> user_operations::bring(const desired<user_spec>& want, const user_observed& now,
                                     op_context& ctx) {
  const auto& spec = want.spec;
  const bool creates = !now.found.present;
  if (spec.group.empty() && (creates || now.created)) {
    if (auto done = own_group(want, ctx); !done)
      return done;
  } else if (!now.owned) {
    if (auto claimed = ctx.owned.claim({want.id, spec.user, creates, {}}); !claimed)
      return claimed;
  }
  if (creates)
    return accounts_.create(account_of(spec), limits_of(ctx));
  return accounts_.change(spec.user, change_of(spec, now), limits_of(ctx));
}

/// Makes the group of the account's name, and claims both.
outcome<void> user_operations::own_group(const desired<user_spec>& want, op_context& ctx) {
  const auto& user = want.spec.user;
  const auto there = accounts_.has_group(user);
  if (!there)
    return there.error();
  const auto record = ctx.owned.find(want.id, user);
  const bool ours = record && record->note == with_group;
  if (*there && ours)
    return {};
  // An adopted account came with its group; that of an account which is new is somebody's.
  if (*there && (!record || record->created))
    return {ec::name_conflict, "a group '" + user
                                 + "' exists and is not this agent's: remove it, or set group: "
                                 + user + " to use it"};
  if (*there)
    return {};
  const bool created = !record || record->created;
  if (!ours)
    if (auto claimed = ctx.owned.claim({want.id, user, created, with_group}); !claimed)
      return claimed;
  return accounts_.create_group(user, want.spec.system, limits_of(ctx));
}

/// Gives a claim back that nothing came of: on what this agent did not make it would turn
/// somebody's account into the agent's.
void user_operations::release_unused(const desired<user_spec>& want, op_context& ctx) {
  const auto& user = want.spec.user;
  const auto record = ctx.owned.find(want.id, user);
  if (!record)
    return;
  const auto found = accounts_.look(user);
  const auto group = accounts_.has_group(user);
  if (!found || !group || (found->present && record->created))
    return;
  if (*group && record->note == with_group && !accounts_.remove_group(user, limits_of(ctx)))
    return;
  (void)ctx.owned.release(want.id, user);
}

outcome<void> user_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto record = ctx.owned.find(owned.owner, owned.target);
  if (!record)
    return {};
  if (record->created) {
    const auto limits = limits_of(ctx);
    const auto turn = turns_.take(all_accounts, limits);
    if (!turn)
      return turn.error();
    const auto now = accounts_.look(owned.target);
    if (!now)
      return now.error();
    if (now->present)
      if (auto gone = accounts_.remove(owned.target, limits); !gone)
        return gone;
    // userdel takes it along where the distribution is set up so.
    if (record->note == with_group)
      if (auto gone = accounts_.remove_group(owned.target, limits); !gone)
        return gone;
  }
  return ctx.owned.release(owned.owner, owned.target);
}

resource_state user_operations::report(const user_observed& seen) {
  return user_state{seen.found.present, seen.found.uid, seen.found.groups};
}

} // namespace harmony
