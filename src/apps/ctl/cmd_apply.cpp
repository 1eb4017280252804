// plan and apply.
#include "apps/ctl/commands.hpp"
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
  return "manifest of '" + agent + "' applied (generation " + std::to_string(p.plan.to) + ")\n";
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

exit_code run(const context& c, const plan_options& o) {
  const auto read = load(c, o.files, o.agent);
  if (read.code != exit_code::ok)
    return read.code;
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  auto values = json::array();
  for (const auto& m : read.manifests) {
    const auto planned = publish(**from, {m.value, false, true, now_of(c.env)}, c.time);
    if (!planned)
      return c.fail(planned.error());
    if (c.as_table())
      c.print(render_plan(planned->plan, c.colour()));
    else
      values.push_back(value_of(*planned));
  }
  if (!c.as_table())
    c.print_value(values);
  return exit_code::ok;
}

exit_code publish_all(const context& c, store& to, const std::vector<manifest>& manifests,
                      const publish_all_options& how) {
  auto values = json::array();
  std::vector<std::string> agents;
  auto code = exit_code::ok;
  for (const auto& m : manifests) {
    // One agent's failure does not keep the others from theirs.
    const auto done = publish(to, {m, how.force, how.dry_run, now_of(c.env)}, c.time);
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
  std::vector<manifest> manifests;
  manifests.reserve(read.manifests.size());
  for (const auto& m : read.manifests)
    manifests.push_back(m.value);
  return publish_all(c, **to, manifests, {o.force, o.dry_run, o.wait});
}

} // namespace harmony::ctl
