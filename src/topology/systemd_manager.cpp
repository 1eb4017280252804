#include "topology/systemd_manager.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "fault/fault.hpp"
#include "topology/systemd_calls.hpp"
#include "topology/systemd_error.hpp"
#include "topology/systemd_files.hpp"
#include "topology/systemd_loop.hpp"

namespace harmony {

using namespace systemd_calls;

namespace {

// Not GetAll: among all properties is the unit file state, for which the manager searches 2 ms
// after each reload.
std::vector<bus_request> detail_calls(const std::string& unit, bool with_file_state) {
  std::vector<bus_request> calls{property_of(unit, unit_interface, "FragmentPath"),
                                 property_of(unit, unit_interface, "NeedDaemonReload"),
                                 property_of(unit, unit_interface, "InvocationID"),
                                 property_of(unit, type_interface(unit), "NRestarts")};
  if (with_file_state)
    calls.push_back(property_of(unit, unit_interface, "UnitFileState"));
  return calls;
}

// Takes over what detail_calls asked for, but the file state.
outcome<void> fill(unit_properties& p, const std::vector<bus_reply>& replies,
                   const std::string& what) {
  for (std::size_t i = 0; i < 3; ++i)
    if (const auto& error = replies[i].error)
      return from_bus(what, *error);
  p.fragment_path = value_or(replies[0].value, std::string{});
  p.need_reload = value_or(replies[1].value, false);
  p.invocation_id = value_or(replies[2].value, std::string{});
  p.restarts = value_or(replies[3].value, std::uint32_t{0}); // an error but for services
  return {};
}

} // namespace

systemd_manager::systemd_manager(const systemd_config& config)
  : scope_(config.manager),
    folder_(unit_folder_of(config)),
    output_(runtime_folder_of(config) / "harmony-jobs"),
    loop_(std::make_shared<systemd_loop>(bus_address_of(config), config.reload_quiet)) {
  std::promise<void> end;
  ended_ = end.get_future();
  thread_ = std::thread{[loop = loop_, end = std::move(end)]() mutable {
    loop->run();
    end.set_value();
  }};
}

systemd_manager::~systemd_manager() {
  loop_->listen({});
  loop_->stop();
  // A bus that accepts a connection and then says nothing holds the thread in the C library: leave
  // it behind rather than hold up the shutdown.
  if (ended_.wait_for(std::chrono::seconds{2}) == std::future_status::ready)
    thread_.join();
  else
    thread_.detach();
}

std::string_view systemd_manager::journal_command() const {
  return scope_ == systemd_config::scope::user ? "journalctl --user -u" : "journalctl -u";
}

outcome<unit_properties> systemd_manager::properties(const std::string& unit, bool with_file_state,
                                                     const wait_limit& limit) {
  HARMONY_FAULT("systemd.look");
  const auto what = "cannot look at " + quoted(unit);
  // Where a link enables it, that is what the manager would find.
  const bool linked = with_file_state && is_linked(folder_, unit);
  auto details = detail_calls(unit, with_file_state && !linked);
  const auto answers = [&](const systemd_loop::wait_ptr& wait) {
    return replies_of(*loop_, wait, what, limit);
  };
  // Each property of a unit that is not there would make the manager look for its file once more:
  // where none is to be seen, the list comes first.
  std::error_code ignored;
  const bool likely = std::filesystem::exists(folder_ / unit, ignored);
  auto replies = answers(loop_->look(
    {unit}, likely ? std::exchange(details, {}) : std::vector<bus_request>{}, limit.deadline));
  if (!replies)
    return replies.error();
  if (const auto& error = replies->front().error)
    return from_bus(what, *error);
  if (replies->front().units.size() != 1)
    return {ec::internal, what + ": not one row for one name"};
  auto& row = replies->front().units.front();
  unit_properties p;
  p.load_state = std::move(row.load);
  p.active_state = std::move(row.active);
  p.sub_state = std::move(row.sub);
  if (p.load_state == "not-found" && p.active_state == "inactive")
    return p;
  if (likely)
    replies->erase(replies->begin());
  else if (replies = answers(loop_->call(std::move(details), limit.deadline)); !replies)
    return replies.error();
  if (auto done = fill(p, *replies, what); !done)
    return done.error();
  if (!with_file_state)
    return p;
  p.unit_file_state = linked ? "enabled" : value_or(replies->back().value, std::string{});
  return linked || p.unit_file_state != "enabled" ? p : with_fresh_state(std::move(p), unit, limit);
}

// The links have gone since the manager looked: ask it to look again.
outcome<unit_properties> systemd_manager::with_fresh_state(unit_properties p,
                                                           const std::string& unit,
                                                           const wait_limit& limit) {
  const auto what = "cannot look at " + quoted(unit);
  const auto replies = replies_of(
    *loop_,
    loop_->call({manager_call("GetUnitFileState", {unit}, bus_answer::text)}, limit.deadline), what,
    limit);
  if (!replies)
    return replies.error();
  // A unit without a file has no state: an error reply, and nothing wrong.
  const auto& state = replies->front();
  p.unit_file_state = state.error ? std::string{} : state.text;
  return p;
}

outcome<bool> systemd_manager::needs_reload(const std::string& unit, const wait_limit& limit) {
  const auto what = "cannot look at " + quoted(unit);
  auto replies = replies_of(
    *loop_, loop_->call({property_of(unit, unit_interface, "NeedDaemonReload")}, limit.deadline),
    what, limit);
  if (!replies)
    return replies.error();
  const auto& reply = replies->front();
  if (reply.error)
    return from_bus(what, *reply.error);
  return value_or(reply.value, false);
}

outcome<unit_result> systemd_manager::result(const std::string& unit, const wait_limit& limit) {
  const auto what = "cannot look at " + quoted(unit);
  const auto interface = type_interface(unit);
  auto replies = replies_of(*loop_,
                            loop_->call({property_of(unit, unit_interface, "ConditionResult"),
                                         property_of(unit, unit_interface, "ConditionTimestamp"),
                                         property_of(unit, interface, "Result"),
                                         property_of(unit, interface, "ExecMainCode"),
                                         property_of(unit, interface, "ExecMainStatus")},
                                        limit.deadline),
                            what, limit);
  if (!replies)
    return replies.error();
  // Kinds of units without one of them (targets) answer with an error: nothing to tell.
  unit_result r;
  // False, too, as long as no start was tried.
  r.condition =
    value_or((*replies)[0].value, true) || value_or((*replies)[1].value, std::uint64_t{0}) == 0;
  r.result = value_or((*replies)[2].value, std::string{});
  r.code = value_or((*replies)[3].value, std::int32_t{0});
  r.status = value_or((*replies)[4].value, std::int32_t{0});
  return r;
}

outcome<std::string> systemd_manager::run(unit_job what, const std::string& unit,
                                          const wait_limit& limit) {
  HARMONY_FAULT("systemd.job.before");
  const auto text = "cannot " + std::string{name_of(what)} + " " + quoted(unit);
  const auto* method = what == unit_job::start  ? "StartUnit"
                       : what == unit_job::stop ? "StopUnit"
                                                : "RestartUnit";
  const auto wait = loop_->job(
    manager_call(method, {unit, std::string{"replace"}}, bus_answer::path), limit.deadline);
  if (const auto end = await(*wait, limit); end != ending::answered) {
    loop_->abandon(wait);
    const std::lock_guard lock{wait->mutex};
    if (wait->accepted)
      return std::string{};
    return interrupted(text, end);
  }
  const auto& reply = wait->replies.front();
  if (reply.error)
    return from_bus(text, *reply.error);
  HARMONY_FAULT("systemd.job.after");
  return reply.text;
}

outcome<void> systemd_manager::reset_failed(const std::string& unit, const wait_limit& limit) {
  HARMONY_FAULT("systemd.reset.before");
  const auto what = "cannot reset " + quoted(unit);
  auto replies = replies_of(
    *loop_,
    loop_->call({manager_call("ResetFailedUnit", {unit}, bus_answer::none)}, limit.deadline), what,
    limit);
  if (!replies)
    return replies.error();
  const auto& error = replies->front().error;
  if (error && code_of(*error) != ec::unit_not_found)
    return from_bus(what, *error);
  HARMONY_FAULT("systemd.reset.after");
  return {};
}

outcome<void> systemd_manager::enable(const std::string& unit, const wait_limit& limit) {
  HARMONY_FAULT("systemd.enable.before");
  const auto what = "cannot enable " + quoted(unit);
  auto replies = replies_of(
    *loop_,
    loop_->call({manager_call("EnableUnitFiles", {std::vector<std::string>{unit}, false, false},
                              bus_answer::flag)},
                limit.deadline),
    what, limit);
  if (!replies)
    return replies.error();
  const auto& reply = replies->front();
  if (reply.error)
    return from_bus(what, *reply.error);
  if (!reply.flag)
    return {ec::unit_invalid, what
                                + ": its unit file has no [Install] section; add one with "
                                  "WantedBy=, or leave 'enabled' out"};
  HARMONY_FAULT("systemd.enable.after");
  return {};
}

outcome<void> systemd_manager::disable(const std::string& unit, const wait_limit& limit) {
  HARMONY_FAULT("systemd.disable.before");
  const auto what = "cannot disable " + quoted(unit);
  auto replies = replies_of(
    *loop_,
    loop_->call(
      {manager_call("DisableUnitFiles", {std::vector<std::string>{unit}, false}, bus_answer::none)},
      limit.deadline),
    what, limit);
  if (!replies)
    return replies.error();
  const auto& error = replies->front().error;
  if (error && code_of(*error) != ec::unit_not_found)
    return from_bus(what, *error);
  HARMONY_FAULT("systemd.disable.after");
  return {};
}

outcome<void> systemd_manager::reload(const wait_limit& limit) {
  HARMONY_FAULT("systemd.reload.before");
  const std::string what = "cannot make the service manager read its unit files again";
  auto replies = replies_of(*loop_, loop_->reload(), what, limit);
  if (!replies)
    return replies.error();
  if (const auto& error = replies->front().error)
    return from_bus(what, *error);
  HARMONY_FAULT("systemd.reload.after");
  return {};
}

outcome<std::vector<unit_row>> systemd_manager::list(const std::vector<std::string>& units,
                                                     const wait_limit& limit) {
  HARMONY_FAULT("systemd.list");
  const std::string what = "cannot list the units";
  if (units.empty())
    return std::vector<unit_row>{};
  auto replies = replies_of(*loop_, loop_->look(units, {}, limit.deadline), what, limit);
  if (!replies)
    return replies.error();
  auto& reply = replies->front();
  if (reply.error)
    return from_bus(what, *reply.error);
  // systemd answers in order, with the main name where an alias was asked for.
  if (reply.units.size() != units.size())
    return {ec::internal, what + ": got " + std::to_string(reply.units.size()) + " rows for "
                            + std::to_string(units.size()) + " names"};
  std::vector<unit_row> rows;
  rows.reserve(units.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    auto& u = reply.units[i];
    rows.push_back({units[i], std::move(u.load), std::move(u.active), std::move(u.sub),
                    std::move(u.path), u.job});
  }
  return rows;
}

void systemd_manager::listen(on_event sink) {
  loop_->listen(std::move(sink));
}

void systemd_manager::watch_units(std::vector<std::string> units) {
  loop_->watch_units(std::move(units));
}

bool systemd_manager::listening() const {
  return loop_->up();
}

std::uint64_t systemd_manager::reloads() const {
  return loop_->reloads();
}

} // namespace harmony
