#include "reconcilers/container.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace harmony {

namespace {

using std::chrono::seconds;

constexpr seconds stop_grace{10};
constexpr unsigned log_lines = 5;
constexpr std::size_t log_bytes = 512;
constexpr auto state_field = "state";
constexpr auto stamp_field = "restartOn";

call_limits limits_of(const op_context& ctx) {
  return {ctx.cancel, ctx.deadline};
}

// The grace of a stop, within the operation's deadline.
seconds grace_of(const op_context& ctx) {
  const auto now = std::chrono::steady_clock::now();
  if (ctx.deadline - now >= stop_grace + seconds{2})
    return stop_grace;
  return std::max(std::chrono::duration_cast<seconds>(ctx.deadline - now) - seconds{2}, seconds{0});
}

bool is_ours(const container_info& info, std::string_view agent, const resource_id& id) {
  return label_of(info, container_label::agent) == agent
         && label_of(info, container_label::resource) == id.str();
}

bool has_other_secrets(const container_info& info, const desired<container_spec>& want) {
  return label_of(info, container_label::secrets) != want.secret_stamp;
}

// Made from this very declaration: it needs no successor.
bool is_current(const container_info& info, const desired<container_spec>& want) {
  return label_of(info, container_label::revision) == want.revision
         && !has_other_secrets(info, want);
}

std::map<std::string, std::string> labels_for(const desired<container_spec>& want,
                                              std::string_view agent) {
  std::map<std::string, std::string> labels{{container_label::agent, std::string{agent}},
                                            {container_label::resource, want.id.str()},
                                            {container_label::revision, want.revision},
                                            {container_label::restart_stamp, want.restart_stamp}};
  if (!want.secret_stamp.empty())
    labels[container_label::secrets] = want.secret_stamp;
  return labels;
}

failure foreign(const container_info& info) {
  const auto agent = label_of(info, container_label::agent);
  return {ec::name_conflict, "container '" + info.name + "' (" + info.id.substr(0, 12)
                               + ") exists and is not this agent's"
                               + (agent.empty() ? "" : ": its label says agent '" + agent + "'")
                               + "; rename it (`podman rename`) or remove it (`podman rm`)"};
}

std::string exit_text(const container_info& info, const std::string& last_words) {
  auto text = "exited with code " + std::to_string(info.exit_code);
  if (info.out_of_memory)
    text += " (out of memory)";
  if (!last_words.empty())
    text += ", last output: '" + last_words + "'";
  return text;
}

// The record that the inventory should hold; none of it costs a write where it is so already.
outcome<void> record(const desired<container_spec>& want, const container_note& note,
                     op_context& ctx) {
  const owned_target entry{want.id, container_ops::target(want), true, write_note(note)};
  if (ctx.owned.find(want.id, entry.target) == entry)
    return {};
  return ctx.owned.claim(entry);
}

// The note that `want` starts from: the one on record, where it is of this revision.
container_note note_for(const desired<container_spec>& want, const op_context& ctx) {
  if (const auto owned = ctx.owned.find(want.id, container_ops::target(want)))
    if (auto note = read_note(owned->note); note.revision == want.revision)
      return note;
  return {want.revision, want.restart_stamp, 0, false};
}

bool stamp_differs(const desired<container_spec>& want, const container_note& note) {
  return !want.restart_stamp.empty() && want.restart_stamp != note.restart_stamp;
}

// One apply: what all its steps share.
struct application {
  container_runtime& runtime;
  const desired<container_spec>& want;
  op_context& ctx;
  call_limits limits;

  [[nodiscard]] outcome<void> canceled() const {
    if (limits.cancel.stop_requested())
      return {ec::canceled, "the work on " + want.id.str() + " was interrupted"};
    return {};
  }

  // Fetches the image where the policy wants it, so that replacing does not begin without it.
  outcome<void> ensure_image() {
    if (want.spec.pull != pull_policy::always) {
      const auto here = runtime.image(want.spec.image, limits);
      if (!here)
        return here.error();
      if (*here)
        return {};
    }
    return fetch();
  }

  outcome<void> fetch() {
    if (want.spec.pull == pull_policy::never)
      return {ec::image_not_found, "image '" + want.spec.image
                                     + "' is not on this device and pullPolicy is Never; load it "
                                       "(`podman load`) or use IfNotPresent"};
    const auto pulled = runtime.pull(want.spec.image, limits);
    if (!pulled)
      return pulled.error();
    return {};
  }

  // From nothing to running. `fetched`: the image was ensured already.
  outcome<void> create_and_start(bool fetched) {
    auto note = note_for(want, ctx);
    note.restart_stamp = want.restart_stamp;
    note.restarting = false;
    if (auto done = record(want, note, ctx); !done)
      return done;
    if (!fetched && want.spec.pull == pull_policy::always)
      if (auto done = fetch(); !done)
        return done;
    auto id = create();
    // An image that is there costs no look of its own: the creation says when it is not.
    if (!id && id.error().code == ec::image_not_found && !fetched) {
      if (auto done = fetch(); !done)
        return done;
      id = create();
    }
    if (!id)
      return id.error();
    return start(*id);
  }

  outcome<std::string> create() {
    const auto name = container_ops::target(want);
    auto id = runtime.create(name, want.spec, labels_for(want, ctx.agent), limits);
    if (id || id.error().code != ec::name_conflict)
      return id;
    // Either a foreign one, or ours from a creation whose answer was lost.
    const auto there = runtime.inspect(name, limits);
    if (!there)
      return there.error();
    if (!*there)
      return id;
    if (!is_ours(**there, ctx.agent, want.id))
      return foreign(**there);
    if (is_current(**there, want))
      return (*there)->id;
    return id;
  }

  outcome<void> start(const std::string& id) {
    if (auto done = canceled(); !done)
      return done;
    auto started = runtime.start(id, limits);
    if (started)
      return started;
    return {started.error().code,
            "container '" + container_ops::target(want) + "': " + started.error().message};
  }

  outcome<void> replace(const container_info& old) {
    if (auto done = ensure_image(); !done)
      return done;
    if (auto done = record(want, note_for(want, ctx), ctx); !done)
      return done;
    if (auto done = runtime.remove(old.id, grace_of(ctx), limits); !done)
      return done;
    return create_and_start(true);
  }

  // The same container, from whatever state to running with the stamp acted on. `unwell`: one that
  // runs is restarted in any case.
  outcome<void> bring_up(const container_info& info, bool unwell) {
    const bool recorded = ctx.owned.find(want.id, container_ops::target(want)).has_value();
    auto note = note_for(want, ctx);
    if (!recorded)
      note.restart_stamp = label_of(info, container_label::restart_stamp);
    const bool new_stamp = stamp_differs(want, note);
    const bool runs = info.status == container_status::running;
    const bool ended = info.status == container_status::exited;
    if (runs && new_stamp) {
      // Written first, so that a full disk cannot make the container restart for ever.
      note.restarting = true;
      if (auto done = record(want, note, ctx); !done)
        return done;
    }
    if (runs && (new_stamp || unwell)) {
      if (auto done = runtime.stop(info.id, grace_of(ctx), limits); !done)
        return done;
    }
    if (info.status == container_status::paused) {
      if (auto done = runtime.resume(info.id, limits); !done)
        return done;
    } else if (!runs || new_stamp || unwell) {
      if (auto done = start(info.id); !done)
        return done;
    }
    if ((ended || (runs && unwell)) && !new_stamp && !note.restarting)
      ++note.restarts;
    if (info.status != container_status::paused && !want.restart_stamp.empty())
      note.restart_stamp = want.restart_stamp;
    note.restarting = false;
    return record(want, note, ctx);
  }
};

} // namespace

std::string container_ops::target(const desired<container_spec>& want) {
  return "harmony-" + want.id.name;
}

outcome<container_observed> container_ops::observe(container_runtime& runtime,
                                                   const desired<container_spec>& want,
                                                   op_context& ctx) {
  const auto limits = limits_of(ctx);
  auto found = runtime.inspect(target(want), limits);
  if (!found)
    return found.error();
  container_observed seen;
  seen.found = std::move(*found);
  if (const auto owned = ctx.owned.find(want.id, target(want))) {
    seen.recorded = true;
    seen.note = read_note(owned->note);
  }
  if (!seen.found)
    return seen;
  seen.ours = is_ours(*seen.found, ctx.agent, want.id);
  if (!seen.recorded)
    seen.note = {label_of(*seen.found, container_label::revision),
                 label_of(*seen.found, container_label::restart_stamp), 0, false};
  if (seen.ours && seen.found->status == container_status::exited) {
    // Worth having and not worth failing for.
    if (auto words = runtime.last_words(seen.found->id, log_lines, log_bytes, limits))
      seen.last_words = std::move(*words);
  }
  return seen;
}

outcome<std::vector<change>> container_ops::plan(const desired<container_spec>& want,
                                                 const container_observed& seen) {
  using changes = std::vector<change>;
  if (!seen.found)
    return changes{{action::create, state_field, "absent", "running"}};
  const auto& info = *seen.found;
  if (!seen.ours)
    return foreign(info);
  const auto revision = label_of(info, container_label::revision);
  if (revision != want.revision) {
    changes list;
    if (info.image != want.spec.image)
      list.push_back({action::replace, "image", info.image, want.spec.image});
    list.push_back({action::replace, "revision", revision, want.revision});
    return list;
  }
  if (has_other_secrets(info, want))
    return changes{{action::replace, "secretEnv", "former values", "present values"}};
  changes list;
  switch (info.status) {
  case container_status::running: break;
  case container_status::created:
  case container_status::paused:
    list.push_back({action::update, state_field, std::string{name_of(info.status)}, "running"});
    break;
  case container_status::exited:
    list.push_back({action::restart, state_field, exit_text(info, seen.last_words), "running"});
    break;
  case container_status::broken:
    list.push_back({action::replace, state_field, std::string{name_of(info.status)}, "running"});
    break;
  }
  if (list.empty() && stamp_differs(want, seen.note))
    list.push_back({action::restart, stamp_field, seen.note.restart_stamp, want.restart_stamp});
  if (!seen.recorded)
    list.push_back({action::update, "ownership", "not on record", "on record"});
  return list;
}

outcome<void> container_ops::apply(container_runtime& runtime, const desired<container_spec>& want,
                                   const std::vector<change>& todo, op_context& ctx) {
  application work{runtime, want, ctx, limits_of(ctx)};
  if (todo.size() == 1 && todo.front().what == action::create)
    return work.create_and_start(false);
  // The plan may be old, and what follows destroys: look again.
  const auto now = runtime.inspect(target(want), work.limits);
  if (!now)
    return now.error();
  if (!*now)
    return work.create_and_start(false);
  const auto& info = **now;
  if (!is_ours(info, ctx.agent, want.id))
    return foreign(info);
  if (info.status == container_status::broken || !is_current(info, want))
    return work.replace(info);
  // Besides this reconciler's own restarts a supervisor asks for one, e.g. by a liveness probe.
  const bool unwell =
    std::any_of(todo.begin(), todo.end(), [](const change& c) { return c.field == restart_field; });
  return work.bring_up(info, unwell);
}

std::optional<failure> container_ops::why_ended(container_runtime& runtime,
                                                const desired<container_spec>& want,
                                                op_context& ctx) {
  const auto seen = observe(runtime, want, ctx);
  if (!seen || !seen->found || !seen->ours || seen->found->status != container_status::exited)
    return {};
  return failure{ec::container_exited, "container '" + target(want) + "' was started and "
                                         + exit_text(*seen->found, seen->last_words)};
}

outcome<void> container_ops::fetch(container_runtime& runtime, const desired<container_spec>& want,
                                   op_context& ctx) {
  return application{runtime, want, ctx, limits_of(ctx)}.ensure_image();
}

outcome<void> container_ops::remove(container_runtime& runtime, const owned_target& owned,
                                    op_context& ctx) {
  const auto limits = limits_of(ctx);
  const auto there = runtime.inspect(owned.target, limits);
  if (!there)
    return there.error();
  // One that is no longer ours is left alone, and so is forgotten.
  if (*there && is_ours(**there, ctx.agent, owned.owner))
    if (auto done = runtime.remove((*there)->id, grace_of(ctx), limits); !done)
      return done;
  return ctx.owned.release(owned.owner, owned.target);
}

resource_state container_ops::report(const container_observed& seen) {
  container_state state;
  if (!seen.found || !seen.ours) {
    state.state = container_waiting{"absent"};
    return state;
  }
  const auto& info = *seen.found;
  const auto restarts = seen.note.restarts;
  state.id = info.id;
  state.image = info.image_id;
  switch (info.status) {
  case container_status::running: state.state = container_running{info.started, restarts}; break;
  case container_status::exited:
    state.state = container_terminated{info.exit_code, info.finished, restarts};
    break;
  case container_status::created:
  case container_status::paused:
  case container_status::broken:
    state.state = container_waiting{std::string{name_of(info.status)}};
    break;
  }
  return state;
}

} // namespace harmony
