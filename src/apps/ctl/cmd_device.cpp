// ping, resync, restart, hold and unhold: short commands to a device.
#include <array>
#include <cstdio>

#include "apps/ctl/commands.hpp"
#include "apps/ctl/progress.hpp"

namespace harmony::ctl {

namespace {

std::string subject_of(const std::string& agent, const std::optional<resource_id>& resource) {
  return resource ? "'" + resource->str() + "' of '" + agent + "'" : "'" + agent + "'";
}

/// Whether the resource was changed after `attempts` and is ready.
bool is_restarted(const agent_status& status, const resource_id& id, std::uint32_t attempts) {
  const auto it = status.resources.find(id);
  return it != status.resources.end() && it->second.attempts > attempts
         && it->second.phase == resource_phase::ready;
}

/// Waits until `o.resource` is ready after a restart, woken by the store.
exit_code wait_until_restarted(const context& c, store& from, const restart_options& o,
                               std::uint32_t attempts) {
  const auto end = std::chrono::steady_clock::now() + *o.wait;
  const auto changed = std::make_shared<signal>();
  changed->raise();
  const auto told =
    from.watch(bucket::actual_state, o.agent, [changed](const auto&) { changed->raise(); });
  if (!told)
    return c.fail(told.error());
  std::string last = "nothing was heard of it";
  progress_line progress{c.env.err, c.env.err_is_terminal};
  while (changed->wait_until(end)) {
    const auto record = read_agent(from, o.agent, budget{c.global.timeout}, false);
    if (!record)
      return c.fail(record.error());
    if (!record->status)
      continue;
    if (is_restarted(*record->status, o.resource, attempts)) {
      progress.clear();
      if (c.as_table())
        c.print("it is ready again\n");
      return exit_code::ok;
    }
    if (const auto it = record->status->resources.find(o.resource);
        it != record->status->resources.end())
      last = "it is " + std::string{name_of(it->second.phase)}
             + (it->second.reason.empty() ? "" : " (" + it->second.reason + ")")
             + (it->second.message.empty() ? "" : ": " + it->second.message);
    progress.show(o.resource.str() + ": " + last);
  }
  progress.clear();
  return c.fail(exit_code::timeout,
                subject_of(o.agent, o.resource) + " is not ready in time: " + last);
}

} // namespace

exit_code run(const context& c, const ping_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto start = std::chrono::steady_clock::now();
  const auto got = ask<ping_result>(**link, o.agent, command_verb::ping, {}, c.time.left());
  if (!got)
    return c.fail(got.error());
  const auto took =
    std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start);
  if (c.as_table()) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f ms", took.count());
    c.print("'" + o.agent + "' answered in " + text.data() + ": " + std::string{name_of(got->phase)}
            + " at generation " + std::to_string(got->observed_generation) + ", version "
            + got->version + ", up " + std::to_string(got->uptime) + " s\n");
    return exit_code::ok;
  }
  c.print_value({{"agent", got->agent},
                 {"milliseconds", took.count()},
                 {"phase", name_of(got->phase)},
                 {"observedGeneration", got->observed_generation},
                 {"bootId", got->boot_id},
                 {"version", got->version},
                 {"uptimeSeconds", got->uptime}});
  return exit_code::ok;
}

exit_code run(const context& c, const resync_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto got = ask<done_result>(**link, o.agent, command_verb::resync, {}, c.time.left());
  if (!got)
    return c.fail(got.error());
  if (c.as_table())
    c.print("'" + o.agent + "' looks at everything anew\n");
  else
    c.print_value({{"agent", o.agent}});
  return exit_code::ok;
}

exit_code run(const context& c, const restart_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto got = ask<restart_result>(**link, o.agent, command_verb::restart,
                                       write_request(resource_request{o.resource}), c.time.left());
  if (!got)
    return c.fail(got.error());
  if (c.as_table())
    c.print(subject_of(o.agent, o.resource) + " is restarted\n");
  else
    c.print_value({{"agent", o.agent}, {"resource", o.resource.str()}});
  return o.wait ? wait_until_restarted(c, **link, o, got->attempts) : exit_code::ok;
}

exit_code run(const context& c, const hold_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(o.duration).count();
  const auto got = ask<hold_result>(
    **link, o.agent, command_verb::hold,
    write_request(hold_request{o.resource, static_cast<std::uint32_t>(seconds), o.reason}),
    c.time.left());
  if (!got)
    return c.fail(got.error());
  const auto until = format_time(got->until);
  if (c.as_table())
    c.print(subject_of(o.agent, o.resource) + " is held until " + until
            + ": nothing is changed there before\n");
  else
    c.print_value({{"agent", o.agent},
                   {"resource", o.resource ? json(o.resource->str()) : json(nullptr)},
                   {"until", until}});
  return exit_code::ok;
}

exit_code run(const context& c, const unhold_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto got = ask<unhold_result>(**link, o.agent, command_verb::unhold,
                                      write_request(resource_request{o.resource}), c.time.left());
  if (!got)
    return c.fail(got.error());
  if (c.as_table())
    c.print(got->released == 0
              ? "nothing was held on '" + o.agent + "'\n"
              : std::to_string(got->released) + (got->released == 1 ? " hold" : " holds")
                  + " ended on '" + o.agent + "'\n");
  else
    c.print_value({{"agent", o.agent}, {"released", got->released}});
  return exit_code::ok;
}

} // namespace harmony::ctl
