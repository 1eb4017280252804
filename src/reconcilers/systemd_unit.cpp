#include "reconcilers/systemd_unit.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include "reconcilers/systemd_unit_failure.hpp"

namespace harmony {

namespace {

// systemd restarts a crashed unit by itself (Restart=): its start waits for that. Longer than this
// the lane is not held.
constexpr std::chrono::seconds auto_restart_patience{10};

const change* find(const std::vector<change>& todo, std::string_view field) {
  const auto found =
    std::find_if(todo.begin(), todo.end(), [&](const change& c) { return c.field == field; });
  return found == todo.end() ? nullptr : &*found;
}

// The lines of the [Install] section: what enabling reads.
std::string install_section(std::string_view content) {
  std::string lines;
  bool inside = false;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const auto line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (!line.empty() && line.front() == '[')
      inside = line.substr(0, 9) == "[Install]";
    else if (inside && !line.empty() && line.front() != '#' && line.front() != ';')
      lines += std::string{line} + "\n";
  }
  return lines;
}

// One apply: the steps in their order, and what they share.
class application {
public:
  application(systemd_port& manager, const desired<systemd_unit_spec>& want, op_context& ctx)
    : manager_(manager),
      want_(want),
      ctx_(ctx),
      limit_{ctx.cancel, ctx.deadline},
      unit_(want.spec.unit),
      path_(manager.unit_folder() / unit_),
      stamp_(start_stamp(want)) {}

  outcome<void> content(bool first) {
    // Nothing of this name ran before: whatever runs from now on is this content.
    if (auto done = first ? record({stamp_, {}}) : record({}); !done)
      return done;
    const auto marker = unit_marker(ctx_.agent, want_.id);
    auto there = read_unit_file(path_);
    if (!there)
      return there.error();
    const auto owner = owner_of(*there, marker);
    if (owner != unit_file_owner::ours && owner != unit_file_owner::none)
      return {ec::name_conflict, "'" + path_.string()
                                   + "' was put there by somebody else; remove "
                                     "it, or take the unit out of the manifest"};
    const auto text = marker + *want_.spec.content;
    if (there->content != text) {
      if (auto done = unlink_former(*there); !done)
        return done;
      const auto how = owner == unit_file_owner::ours ? overwrite::yes : overwrite::no;
      if (auto done = write_unit_file(path_, text, how); !done)
        return done;
    }
    if (first)
      return {};
    // Not only where the manager sees a need: it compares times, and a clock may have been set.
    if (auto done = manager_.reload(limit_); !done)
      return done;
    return record_loaded();
  }

  /// Its record was lost: what runs is taken for what is declared.
  outcome<void> take_back() { return record({stamp_, {}}); }

  /// Whether the content step took away the links that enabled the unit.
  [[nodiscard]] bool must_enable() const { return relink_; }

  outcome<void> enabled() {
    return *want_.spec.enabled ? manager_.enable(unit_, limit_) : manager_.disable(unit_, limit_);
  }

  /// Starts it or, where it may run as something older, restarts it: that also takes the place of a
  /// start that is under way. `anew`: in any case.
  outcome<void> bring_up(bool anew, bool first) {
    if (recorded().stamp != stamp_) {
      if (auto done = record_loaded(); !done)
        return done;
      anew = true;
    }
    return start(anew ? unit_job::restart : unit_job::start, first);
  }

private:
  outcome<void> start(unit_job job, bool first) {
    unit_row now; // of one that never ran, unless it is looked at
    if (!first) {
      auto seen = manager_.list({unit_}, limit_);
      if (!seen)
        return seen.error();
      now = std::move(seen->front());
    }
    if (now.active == "failed")
      if (auto done = manager_.reset_failed(unit_, limit_); !done)
        return done;
    auto limit = limit_;
    const bool waiting = job == unit_job::start && now.sub == "auto-restart";
    if (waiting)
      limit.deadline =
        std::min(limit.deadline, std::chrono::steady_clock::now() + auto_restart_patience);
    auto ended = manager_.run(job, unit_, limit);
    if (!ended && ended.error().code == ec::unit_not_found && want_.spec.content) {
      // The manager looked for the file before it was there.
      if (auto done = manager_.reload(limit_); !done)
        return done;
      ended = manager_.run(job, unit_, limit);
    }
    if (!ended)
      return ended.error();
    if (ended->empty() && waiting && std::chrono::steady_clock::now() < limit_.deadline
        && !ctx_.cancel.stop_requested())
      return {}; // the next look tells what became of it
    if (*ended != "done")
      return explain_job(manager_, job, unit_, *ended, limit_);
    return {};
  }

  [[nodiscard]] unit_record recorded() const {
    const auto known = ctx_.owned.find(want_.id, unit_);
    return known ? read_unit_record(known->note) : unit_record{};
  }

  // Holds the claim in the inventory, with `r`.
  outcome<void> record(const unit_record& r) {
    if (!want_.spec.content && stamp_.empty())
      return {};
    const auto known = ctx_.owned.find(want_.id, unit_);
    auto claim = known.value_or(owned_target{want_.id, unit_, false, {}});
    claim.created = claim.created || want_.spec.content.has_value();
    claim.note = write_note(r);
    if (known == claim)
      return {};
    return ctx_.owned.claim(claim);
  }

  // The manager has the present content: what runs now may be older, what begins from here on not.
  outcome<void> record_loaded() {
    auto now = manager_.properties(unit_, false, limit_);
    if (!now)
      return now.error();
    return record({stamp_, std::move(now->invocation_id)});
  }

  // Links that enabled the former content are found through it, so they go before it does; the
  // next look finds the unit disabled even when the agent is killed here.
  outcome<void> unlink_former(const unit_file& former) {
    if (!want_.spec.enabled.value_or(false) || former.what != unit_file::kind::regular
        || install_section(former.content) == install_section(*want_.spec.content))
      return {};
    relink_ = true;
    return manager_.disable(unit_, limit_);
  }

  systemd_port& manager_;
  const desired<systemd_unit_spec>& want_;
  op_context& ctx_;
  wait_limit limit_;
  const std::string& unit_;
  std::filesystem::path path_;
  std::string stamp_;
  bool relink_ = false;
};

// Stops, disables and deletes a unit that this agent created, as far as it still is that.
outcome<void> remove_unit(systemd_port& manager, const owned_target& owned, op_context& ctx) {
  const auto& unit = owned.target;
  const wait_limit limit{ctx.cancel, ctx.deadline};
  const auto path = manager.unit_folder() / unit;
  const auto file = read_unit_file(path);
  if (!file)
    return file.error();
  const auto owner = owner_of(*file, unit_marker(ctx.agent, owned.owner));
  if (owner == unit_file_owner::foreign || owner == unit_file_owner::masked)
    return {}; // Somebody took its place: not ours to touch.
  const auto now = manager.properties(unit, false, limit);
  if (!now)
    return now.error();
  // Without our file, what is loaded from another place is somebody else's.
  if (owner == unit_file_owner::none && !now->fragment_path.empty() && now->fragment_path != path)
    return {};
  // Also where it is inactive: a job of an apply that was given up may be about to start it.
  if (auto done = systemd_unit::stop(manager, unit, limit); !done)
    return done;
  if (auto done = manager.disable(unit, limit); !done)
    return done;
  if (auto done = remove_unit_file(path); !done)
    return done;
  const auto loaded = manager.needs_reload(unit, limit);
  if (!loaded)
    return loaded.error();
  if (*loaded)
    if (auto done = manager.reload(limit); !done)
      return done;
  return manager.reset_failed(unit, limit);
}

} // namespace

outcome<void> systemd_unit::stop(systemd_port& manager, const std::string& unit,
                                 const wait_limit& limit) {
  auto ended = manager.run(unit_job::stop, unit, limit);
  if (!ended && ended.error().code == ec::unit_not_found)
    return {};
  if (!ended)
    return ended.error();
  if (*ended == "done")
    return {};
  return explain_job(manager, unit_job::stop, unit, *ended, limit);
}

outcome<systemd_unit_observed> systemd_unit::observe(systemd_port& manager,
                                                     const desired<systemd_unit_spec>& want,
                                                     op_context& ctx) {
  systemd_unit_observed seen;
  const auto& unit = want.spec.unit;
  if (!is_unit_name(unit)) // not to be made a path of; the plan refuses it
    return seen;
  const auto path = manager.unit_folder() / unit;
  seen.path = path.string();
  auto file = read_unit_file(path);
  if (!file)
    return file.error();
  const auto marker = unit_marker(ctx.agent, want.id);
  seen.file = owner_of(*file, marker);
  if (seen.file == unit_file_owner::ours)
    seen.content = file->content.substr(marker.size());
  const wait_limit limit{ctx.cancel, ctx.deadline};
  auto properties = manager.properties(unit, want.spec.enabled.has_value(), limit);
  if (!properties)
    return properties.error();
  seen.unit = std::move(*properties);
  if (const auto record = ctx.owned.find(want.id, unit)) {
    seen.recorded = true;
    seen.record = read_unit_record(record->note);
  } else if (seen.lost = ctx.owned.rebuilding(); seen.lost) {
    seen.record.stamp = start_stamp(want); // nothing that runs is restarted for want of a record
  }
  return seen;
}

outcome<void> systemd_unit::apply(systemd_port& manager, const desired<systemd_unit_spec>& want,
                                  const std::vector<change>& todo, op_context& ctx) {
  if (!is_unit_name(want.spec.unit))
    return {ec::invalid_spec, "'" + want.spec.unit + "' is not a unit name"};
  application steps{manager, want, ctx};
  const auto* content = find(todo, "content");
  const bool first = content != nullptr && content->what == action::create;
  if (content != nullptr && want.spec.content)
    if (auto done = steps.content(first); !done)
      return done;
  if (find(todo, "ownership") != nullptr)
    if (auto done = steps.take_back(); !done)
      return done;
  if (want.spec.enabled && (find(todo, "enabled") != nullptr || steps.must_enable()))
    if (auto done = steps.enabled(); !done)
      return done;
  const bool restart = find(todo, restart_field) != nullptr;
  if (want.spec.state == unit_state::active && (restart || find(todo, "state") != nullptr))
    return steps.bring_up(restart || (content != nullptr && !first), first);
  if (find(todo, "state") == nullptr)
    return {};
  return systemd_unit::stop(manager, want.spec.unit, {ctx.cancel, ctx.deadline});
}

std::optional<failure> systemd_unit::why_ended(systemd_port& manager,
                                               const desired<systemd_unit_spec>& want,
                                               const op_context& ctx) {
  if (want.spec.state != unit_state::active)
    return {};
  return explain_state(manager, want.spec.unit, {ctx.cancel, ctx.deadline});
}

outcome<std::vector<owned_target>> systemd_unit::marked(systemd_port& manager,
                                                        const op_context& ctx) {
  std::vector<owned_target> found;
  std::error_code error;
  std::filesystem::directory_iterator each{manager.unit_folder(), error};
  for (; !error && each != std::filesystem::directory_iterator{}; each.increment(error)) {
    const auto unit = each->path().filename().string();
    if (!is_unit_name(unit))
      continue;
    const auto file = read_unit_file(each->path());
    if (!file || file->what != unit_file::kind::regular)
      continue;
    if (auto owner = marked_resource(file->content, ctx.agent, "SystemdUnit"))
      found.push_back({std::move(*owner), unit, true, {}});
  }
  return found; // without the folder there are none
}

outcome<void> systemd_unit::remove(systemd_port& manager, const owned_target& owned,
                                   op_context& ctx) {
  if (owned.created && is_unit_name(owned.target))
    if (auto done = remove_unit(manager, owned, ctx); !done)
      return done;
  return ctx.owned.release(owned.owner, owned.target);
}

} // namespace harmony
