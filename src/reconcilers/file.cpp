#include "reconcilers/file.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "model/base64.hpp"
#include "reconcilers/op_limits.hpp"
#include "topology/files_digest.hpp"
#include "topology/files_posix.hpp"

namespace harmony {

static_assert(reconciler<file_reconciler<posix_device>>);

namespace {

constexpr std::string_view leftover_field = "(temporary)";
constexpr std::string_view type_field = "type";
constexpr std::string_view content_field = "content";

/// One name a target and agent, so that the temporary of a killed agent is found again, and two
/// agents (say of two tests) do not meet.
std::string temporary_name(std::string_view agent, const std::string& name) {
  return ".harmony-" + sha256_of(std::string{agent} + "/" + name).substr(0, 16);
}

/// The content, where the declaration has it; `decoded` keeps what base64 stands for.
outcome<std::string_view> inline_content(const file_spec& spec, std::string& decoded) {
  if (spec.secret) {
    if (!spec.secret->value)
      return {ec::secret_unavailable, spec.secret->str() + " has no value"};
    return spec.secret->value->reveal();
  }
  if (spec.content)
    return std::string_view{*spec.content};
  if (!spec.content_base64)
    return std::string_view{};
  auto bytes = decode_base64(*spec.content_base64);
  if (!bytes)
    return {ec::invalid_spec, "the content of '" + spec.path + "' is not base64"};
  decoded = std::move(*bytes);
  return std::string_view{decoded};
}

outcome<std::string> wanted_sha256(const file_spec& spec) {
  if (spec.source)
    return spec.source->sha256;
  std::string decoded;
  const auto content = inline_content(spec, decoded);
  if (!content)
    return content.error();
  return sha256_of(*content);
}

/// The content that is there, for others. Its hash is told where it tells nothing new: it is the
/// declared one, or everybody on the device may read the content. Any other may be a secret, also a
/// former one, and a short secret is found by hashing guesses.
std::string told_content(const file_spec& spec, const file_info& found, const std::string& wanted) {
  if (found.sha256.empty())
    return "unreadable";
  if (spec.secret)
    return "secret";
  const bool known = found.sha256 == wanted || (found.mode & 0004) != 0;
  return known ? "sha256:" + found.sha256 : "private";
}

/// The content that is declared.
std::string told_content(const file_spec& spec, const std::string& hash) {
  return spec.secret ? "secret" : "sha256:" + hash;
}

change content_change(const file_spec& spec, const file_info& found, const std::string& wanted) {
  auto from = told_content(spec, found, wanted);
  if (from == "secret")
    from = "another";
  return {action::update, std::string{content_field}, from, told_content(spec, wanted)};
}

std::vector<change> creation(const file_spec& spec, const std::string& hash) {
  std::vector<change> changes{
    {action::create, std::string{content_field}, {}, told_content(spec, hash)},
    {action::create, "mode", {}, spec.mode}};
  if (!spec.owner.empty())
    changes.push_back({action::create, "owner", {}, spec.owner});
  if (!spec.group.empty())
    changes.push_back({action::create, "group", {}, spec.group});
  return changes;
}

/// Whether something of another type may give way: only a symlink where this resource's file was.
outcome<void> check_type(const std::string& path, file_type type, bool owned) {
  if (type == file_type::absent || type == file_type::regular)
    return {};
  if (type == file_type::symlink && owned)
    return {};
  return {ec::name_conflict, "'" + path + "' is " + std::string{describe(type)}
                               + ", not a file: remove it, or use another path"};
}

failure foreign(const std::string& path, const std::string& how) {
  return {ec::name_conflict, "'" + path + "' exists, is not this agent's and " + how
                               + ": remove it, or set adopt: true"};
}

bool has_field(const std::vector<change>& todo, std::string_view field) {
  return std::any_of(todo.begin(), todo.end(), [&](const change& c) { return c.field == field; });
}

} // namespace

// -- observe -------------------------------------------------------------------------------------

outcome<file_observed> file_operations::observe(const desired<file_spec>& want, op_context& ctx) {
  file_observed seen;
  seen.owned = ctx.owned.find(want.id, want.spec.path).has_value();
  seen.lost = ctx.owned.rebuilding();
  auto at = fs_.open_place(want.spec.path);
  // Without its folder the file is absent; creating it will say what to do about that.
  if (!at && at.error().code != ec::not_found)
    return at.error();
  if (at) {
    auto found = fs_.inspect(*at, limits_of(ctx));
    if (!found)
      return found.error();
    seen.found = std::move(*found);
    // What is declared may be unknown (a secret that is not there); what is there is not.
    const auto wanted = wanted_sha256(want.spec);
    seen.told = told_content(want.spec, seen.found, wanted ? *wanted : std::string{});
    const auto name = temporary_name(ctx.agent, at->name);
    const auto stale = fs_.look({std::move(at->folder), want.spec.path, name});
    if (stale && stale->type == file_type::regular)
      seen.leftover = name;
  }
  return observe_accounts(fs_, std::move(seen), want.spec.owner, want.spec.group);
}

// -- plan ----------------------------------------------------------------------------------------

outcome<std::vector<change>> file_operations::plan(const desired<file_spec>& want,
                                                   const file_observed& seen) {
  const auto& spec = want.spec;
  const auto& found = seen.found;
  if (auto fits = check_type(spec.path, found.type, seen.owned); !fits)
    return fits.error();
  const auto hash = wanted_sha256(spec);
  if (!hash)
    return hash.error();
  std::vector<change> changes;
  if (found.type == file_type::absent) {
    changes = creation(spec, *hash);
  } else if (found.type == file_type::symlink) {
    changes = creation(spec, *hash);
    changes.insert(changes.begin(), {action::replace, std::string{type_field}, "symlink", "file"});
  } else {
    auto differences = entry_differences(spec.mode, seen);
    if (!differences)
      return differences;
    changes = std::move(*differences);
    if (found.sha256.empty() && changes.empty())
      return {ec::permission_denied, "'" + spec.path
                                       + "' may not be read with the mode that it is "
                                         "to have: give the agent's user the right to read it"};
    if (found.sha256 != *hash)
      changes.insert(changes.begin(), content_change(spec, found, *hash));
    if (!changes.empty() && !seen.owned && !spec.adopt)
      return foreign(spec.path, "differs in " + list_fields(changes));
    if (changes.empty() && !seen.owned && seen.lost)
      changes.push_back(taken_back());
  }
  if (!seen.leftover.empty())
    changes.push_back({action::remove, std::string{leftover_field}, seen.leftover, {}});
  return changes;
}

resource_state file_operations::report(const file_observed& seen) {
  const auto& found = seen.found;
  if (found.type != file_type::regular)
    return file_state{};
  return file_state{seen.told, format_mode(found.mode)};
}

// -- apply ---------------------------------------------------------------------------------------

outcome<void> file_operations::apply(const desired<file_spec>& want,
                                     const std::vector<change>& todo, op_context& ctx) {
  const auto turn = turns_.take(want.spec.path, limits_of(ctx));
  if (!turn)
    return turn.error();
  if (has_field(todo, ownership_field))
    return take_back(want, ctx);
  const auto at = fs_.open_place(want.spec.path);
  if (!at)
    return {at.error().code, "cannot write '" + want.spec.path + "': " + at.error().message};
  return apply_at(*at, want, todo, ctx);
}

outcome<void> file_operations::take_back(const desired<file_spec>& want, op_context& ctx) {
  const auto now = observe(want, ctx);
  if (!now)
    return now.error();
  const auto todo = plan(want, *now);
  if (!todo)
    return todo.error();
  if (!has_field(*todo, ownership_field))
    return {ec::not_converged, "'" + want.spec.path + "' has changed meanwhile"};
  return ctx.owned.claim({want.id, want.spec.path, false, {}});
}

outcome<void> file_operations::apply_at(const place& at, const desired<file_spec>& want,
                                        const std::vector<change>& todo, op_context& ctx) {
  if (auto gone = fs_.discard(at, temporary_name(ctx.agent, at.name)); !gone)
    return gone;
  if (std::all_of(todo.begin(), todo.end(),
                  [](const change& c) { return c.field == leftover_field; }))
    return {};
  const auto& spec = want.spec;
  // Looked at anew: the plan may be older than what stands there now.
  const auto now = fs_.look(at);
  if (!now)
    return now.error();
  const bool owned = ctx.owned.find(want.id, spec.path).has_value();
  if (auto fits = check_type(spec.path, now->type, owned); !fits)
    return fits;
  const bool present = now->type != file_type::absent;
  if (present && !owned && !spec.adopt)
    return foreign(spec.path, "has come into being meanwhile");
  if (!owned)
    if (auto claimed = ctx.owned.claim({want.id, spec.path, !present, {}}); !claimed)
      return claimed;
  bool placed = false;
  auto done = put(at, spec, todo, *now, owned || present, ctx, placed);
  // A claim on what this agent did not make would turn somebody's file into the agent's.
  if (!done && !owned && !placed)
    (void)ctx.owned.release(want.id, spec.path);
  return done;
}

outcome<void> file_operations::put(const place& at, const file_spec& spec,
                                   const std::vector<change>& todo, const file_info& now,
                                   bool may_replace, op_context& ctx, bool& placed) {
  // A second name somewhere else is not this resource's to change: a new file leaves it alone.
  const bool in_place =
    now.type == file_type::regular && now.links == 1 && !has_field(todo, content_field);
  if (!in_place)
    return replace(at, spec, may_replace, ctx, placed);
  const auto mode = parse_mode(spec.mode);
  if (!mode)
    return mode.error();
  const auto ids = fs_.resolve(spec.owner, spec.group);
  if (!ids)
    return ids.error();
  const bool same_owner = now.uid == ids->uid && now.gid == ids->gid;
  placed = true; // as soon as one of the two is done
  return fs_.amend(at, same_owner ? std::nullopt : std::optional{*ids}, *mode);
}

outcome<void> file_operations::replace(const place& at, const file_spec& spec, bool may_replace,
                                       op_context& ctx, bool& placed) {
  const auto file = fs_.create_temporary(at, temporary_name(ctx.agent, at.name));
  if (!file)
    return file.error();
  auto done = fill(*file, spec, ctx);
  if (done) {
    done = fs_.publish(at, *file, may_replace);
    // It may have happened all the same, where an answer was lost (a network's file system).
    if (!done && done.error().code != ec::name_conflict) {
      const auto now = fs_.look(at);
      placed = !now || now->type != file_type::absent;
    }
  }
  if (!done) {
    (void)fs_.discard(at, file->name);
    return done;
  }
  placed = true;
  return fs_.sync_folder(at);
}

outcome<void> file_operations::fill(const temporary& file, const file_spec& spec, op_context& ctx) {
  const auto limits = limits_of(ctx);
  const auto mode = parse_mode(spec.mode);
  if (!mode)
    return mode.error();
  const auto ids = fs_.resolve(spec.owner, spec.group);
  if (!ids)
    return ids.error();
  auto done =
    spec.source ? fill_remote(file, *spec.source, limits) : fill_inline(file, spec, limits);
  if (done)
    done = fs_.set_owner(file, *ids);
  if (done) // after the owner: chown takes set-user-id bits away
    done = fs_.set_mode(file, *mode);
  if (done)
    done = fs_.sync(file);
  return done ? limits.check("writing '" + spec.path + "'") : done;
}

outcome<void> file_operations::fill_inline(const temporary& file, const file_spec& spec,
                                           const op_limits& limits) {
  std::string decoded;
  const auto content = inline_content(spec, decoded);
  if (!content)
    return content.error();
  constexpr std::size_t piece = 1 << 20;
  for (auto rest = *content; !rest.empty();) {
    if (auto go_on = limits.check("writing '" + spec.path + "'"); !go_on)
      return go_on;
    if (auto written = fs_.write(file, rest.substr(0, piece)); !written)
      return written;
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  return {};
}

outcome<void> file_operations::fill_remote(const temporary& file, const remote_content& source,
                                           const op_limits& limits) {
  const auto write = [&](std::string_view piece) { return fs_.write(file, piece); };
  auto done = cache_ != nullptr ? cache_->read(source, write, limits)
                                : download_verified(source, write, limits);
  if (!done && done.error().code == ec::checksum_mismatch)
    return {ec::checksum_mismatch,
            done.error().message + "; '" + file.path + "' was left as it was"};
  return done;
}

outcome<void> file_operations::fetch(const desired<file_spec>& want, op_context& ctx) {
  return cache_ != nullptr ? cache_->fetch(*want.spec.source, limits_of(ctx)) : outcome<void>{};
}

// -- remove --------------------------------------------------------------------------------------

outcome<void> file_operations::remove(const owned_target& owned, op_context& ctx) {
  const auto record = ctx.owned.find(owned.owner, owned.target);
  if (!record)
    return {};
  const auto turn = turns_.take(owned.target, limits_of(ctx));
  if (!turn)
    return turn.error();
  auto at = fs_.open_place(owned.target);
  const bool elsewhere =
    !at && (at.error().code == ec::not_found || at.error().code == ec::unsafe_path);
  if (!at && !elsewhere)
    return at.error();
  if (at) {
    if (auto gone = fs_.discard(*at, temporary_name(ctx.agent, at->name)); !gone)
      return gone;
    const auto now = fs_.look(*at);
    if (!now)
      return now.error();
    if (record->created && now->type == file_type::regular) {
      if (auto gone = fs_.remove_file(*at); !gone)
        return gone;
      if (auto durable = fs_.sync_folder(*at); !durable)
        return durable;
    }
  }
  return ctx.owned.release(owned.owner, owned.target);
}

} // namespace harmony
