// explain.
#include "apps/ctl/commands.hpp"
#include "apps/ctl/durations.hpp"
#include "core/age.hpp"
#include "core/explain.hpp"

namespace harmony::ctl {

namespace {

json value_of(const explanation& e) {
  return {{"subject", e.subject},
          {"phase", e.phase},
          {"headline", e.headline},
          {"because", e.because},
          {"next", e.next}};
}

/// What only an observer can say: whether the device is there at all.
void add_silence(explanation& e, const agent_record& record,
                 std::chrono::system_clock::time_point now) {
  if (phase_of(record, now) != "Offline")
    return;
  const auto age =
    record.beat
      ? "its last heartbeat is "
          + format_age(std::chrono::duration_cast<milliseconds>(now - record.beat->at)) + " old"
      : std::string{"no heartbeat of it was seen"};
  e.because.insert(e.because.begin(), age + ": what follows is what it said last");
}

exit_code print_all(const context& c, const std::vector<explanation>& all) {
  if (c.as_table()) {
    c.print(text_of(all));
    return exit_code::ok;
  }
  auto values = json::array();
  for (const auto& e : all)
    values.push_back(value_of(e));
  c.print_value(values);
  return exit_code::ok;
}

/// As the device itself sees it now.
exit_code explain_live(const context& c, const explain_options& o) {
  const auto link = c.connected();
  if (!link)
    return c.fail(link.error());
  const auto got = ask<explain_result>(**link, o.agent, command_verb::explain,
                                       write_request(resource_request{o.resource}), c.time.left());
  return got ? print_all(c, got->explanations) : c.fail(got.error());
}

} // namespace

exit_code run(const context& c, const explain_options& o) {
  if (o.live)
    return explain_live(c, o);
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  const auto record = read_known(c, **from, o.agent);
  if (!record)
    return c.fail(record.error());
  if (!record->status)
    return c.fail(exit_code::not_found,
                  "'" + o.agent + "' has written no status yet"
                    + (record->status_fault.empty() ? "" : ": " + record->status_fault)
                    + "; is the agent running there?");
  const auto now = c.env.now();
  const auto wall = std::chrono::time_point_cast<milliseconds>(now);
  const auto* desired = record->desired ? &record->desired->value : nullptr;
  std::vector<explanation> all;
  if (o.resource)
    all.push_back(explain_resource(*record->status, *o.resource, desired, wall));
  else
    all = explain_agent(*record->status, desired, wall);
  if (all.front().phase == "Unknown")
    return no_such_resource(c, o.agent, *o.resource);
  add_silence(all.front(), *record, now);
  return print_all(c, all);
}

} // namespace harmony::ctl
