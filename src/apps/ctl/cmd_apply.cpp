// plan and apply.
#include <ostream>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/key_files.hpp"
#include "apps/ctl/progress.hpp"
#include "apps/ctl/publish.hpp"
#include "apps/ctl/wait.hpp"

namespace harmony::ctl {

namespace {

timestamp now_of(const environment& env) {
  return std::chrono::floor<std::chrono::milliseconds>(env.now());
}

std::string verdict_line(const publication& p, bool dry_run) {
  const auto& agent = p.plan.agent;
  if (p.unchanged && !p.written)
    return "manifest of '" + agent + "' unchanged (generation " + std::to_string(p.plan.from)
           + ")\n";
  if (dry_run)
    return "nothing written (dry run)\n";
  return "manifest of '" + agent + (p.unchanged && p.cosigned ? "' signed" : "' applied")
         + " (generation " + std::to_string(p.plan.to) + ")\n";
}

json value_of(const publication& p) {
  auto value = to_value(p.plan);
  value["unchanged"] = p.unchanged;
  value["written"] = p.written;
  return value;
}

exit_code wait_for_all(const context& c, store& from, const std::vector<std::string>& agents,
                       milliseconds at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  progress_line progress{c.env.err, c.env.err_is_terminal};
  auto code = exit_code::ok;
  for (const auto& agent : agents) {
    wait_request request{agent, {}, end, {}, {}};
    request.on_progress = [&](const wait_verdict& v) {
      progress.show("waiting for '" + agent + "': " + v.progress);
    };
    const auto done = wait_for(from, request);
    progress.clear();
    if (!done)
      code = c.fail(done.error());
    else if (c.as_table())
      c.print("'" + agent + "' converged at generation "
              + std::to_string(done->status->observed_generation) + "\n");
  }
  return code;
}

} // namespace

namespace {

/// How long the device may take to look at everything.
constexpr milliseconds device_patience{30'000};

/// What the device would do about `m`, by its own look; says why where it cannot be asked.
outcome<plan_result> ask_device(const context& c, store& link, const manifest& m) {
  const auto agent = m.metadata.agent;
  const auto beat = link.last_beat(agent, c.time.left());
  if (!beat)
    return beat.error();
  if (!*beat || c.env.now() - (*beat)->written > offline_after)
    return {ec::agent_unreachable, "'" + agent + "' is offline"};
  return ask<plan_result>(link, agent, command_verb::plan, write_manifest(m), device_patience);
}

/// Prints one plan, or adds it to `values`.
void show(const context& c, store& link, const plan_options& o, const manifest& m,
          const publication& planned, json& values) {
  auto stamped = m;
  stamped.metadata.generation = planned.plan.to;
  const auto device =
    o.offline ? outcome<plan_result>{ec::canceled, ""} : ask_device(c, link, stamped);
  if (device && c.as_table())
    c.print(render_device_plan(planned.plan, *device, c.colour()));
  else if (device)
    values.push_back(to_value(planned.plan, *device));
  else if (c.as_table()) {
    if (!o.offline)
      c.env.err << "note: " << printable(device.error().message)
                << "; compared with the manifest in the store\n"
                << std::flush;
    c.print(render_plan(planned.plan, c.colour()));
  } else {
    values.push_back(value_of(planned));
  }
}

} // namespace

exit_code run(const context& c, const plan_options& o) {
  const auto read = load(c, o.files, o.agent);
  if (read.code != exit_code::ok)
    return read.code;
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  auto values = json::array();
  for (const auto& m : read.manifests) {
    const auto planned =
      publish(**from, {m.value, m.sealed, {}, false, true, now_of(c.env)}, c.time);
    if (!planned)
      return c.fail(planned.error());
    show(c, **from, o, m.value, *planned, values);
  }
  if (!c.as_table())
    c.print_value(values);
  return exit_code::ok;
}

exit_code publish_all(const context& c, store& to, const std::vector<loaded_manifest>& manifests,
                      const publish_all_options& how) {
  const auto keys = load_secret_keys(how.keys);
  if (!keys)
    return c.fail(exit_code::failure, keys.error().message);
  auto values = json::array();
  std::vector<std::string> agents;
  auto code = exit_code::ok;
  for (const auto& m : manifests) {
    // One agent's failure does not keep the others from theirs.
    const auto done =
      publish(to, {m.value, m.sealed, *keys, how.force, how.dry_run, now_of(c.env)}, c.time);
    if (!done) {
      code = c.fail(done.error());
      continue;
    }
    agents.push_back(done->plan.agent);
    if (!c.as_table()) {
      values.push_back(value_of(*done));
      continue;
    }
    if (!done->unchanged || how.force)
      c.print(render_plan(done->plan, c.colour()));
    c.print(verdict_line(*done, how.dry_run));
  }
  if (!c.as_table())
    c.print_value(values);
  if (how.wait && !how.dry_run) {
    const auto waited = wait_for_all(c, to, agents, *how.wait);
    code = code == exit_code::ok ? waited : code;
  }
  return code;
}

exit_code run(const context& c, const apply_options& o) {
  const auto read = load(c, o.files, o.agent);
  if (read.code != exit_code::ok)
    return read.code;
  const auto to = c.connected();
  if (!to)
    return c.fail(to.error());
  return publish_all(c, **to, read.manifests, {o.force, o.dry_run, o.wait, o.keys});
}

} // namespace harmony::ctl
