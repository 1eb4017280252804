// The transient units of a systemd_manager.

#include "topology/systemd_transient.hpp"

#include <thread>

#include "fault/fault.hpp"
#include "topology/output_file.hpp"
#include "topology/systemd_calls.hpp"
#include "topology/systemd_error.hpp"
#include "topology/systemd_manager.hpp"

namespace harmony {

using namespace systemd_calls;

namespace {

// A unit that nothing holds is collected in the manager's next round.
constexpr std::chrono::milliseconds collection_step{5};

// /run/harmony-jobs, as systemd-escape(1) has it. What jobs write is taken away while they run;
// only one that writes faster, or while no agent looks, meets this size.
constexpr auto output_mount = "run-harmony\\x2djobs.mount";
constexpr auto output_options = "mode=0700,size=32m,nr_inodes=4k,nosuid,nodev,noexec";

std::vector<bus_request> run_calls(const std::string& unit) {
  const auto service = type_interface(unit);
  return {manager_call("ListUnitsByNames", {std::vector{unit}}, bus_answer::units),
          property_of(unit, unit_interface, "Description"),
          property_of(unit, service, "Result"),
          property_of(unit, service, "ExecMainCode"),
          property_of(unit, service, "ExecMainStatus"),
          property_of(unit, service, "ExecMainStartTimestamp"),
          property_of(unit, service, "ExecMainExitTimestamp")};
}

std::optional<timestamp> time_of(const bus_value& v) {
  const auto us = value_or(v, std::uint64_t{0});
  if (us == 0)
    return {};
  return timestamp{std::chrono::milliseconds{us / 1000}};
}

} // namespace

outcome<void> systemd_manager::make_output_folder(const wait_limit& limit) {
  if (auto made = make_private_folder(output_); !made)
    return made;
  if (scope_ == systemd_config::scope::user)
    return {}; // which cannot mount
  const auto what = "cannot mount '" + output_.string() + "'";
  const std::vector<unit_setting> settings{
    {"Description", std::string{"Output of running ShellJobs"}},
    {"What", std::string{"tmpfs"}},
    {"Type", std::string{"tmpfs"}},
    {"Options", std::string{output_options}}};
  const auto wait = loop_->job(
    manager_call("StartTransientUnit",
                 {std::string{output_mount}, std::string{"fail"}, settings, no_auxiliary_units{}},
                 bus_answer::path),
    limit.deadline);
  const auto replies = replies_of(*loop_, wait, what, limit);
  if (!replies)
    return replies.error();
  const auto& error = replies->front().error;
  if (!error)
    return {}; // where it could not be mounted, the plain folder has to do
  if (code_of(*error) != ec::name_conflict)
    return from_bus(what, *error);
  // It is mounted, or about to be: what is written before that would be covered.
  for (;;) {
    const auto end_of_job = loop_->job_end(output_mount);
    const auto rows = list({output_mount}, limit);
    if (!rows || rows->front().job == 0) {
      loop_->abandon(end_of_job);
      return rows ? outcome<void>{} : rows.error();
    }
    if (const auto ended = replies_of(*loop_, end_of_job, what, limit); !ended)
      return ended.error();
  }
}

outcome<void> systemd_manager::start_transient(const transient_unit& unit,
                                               const wait_limit& limit) {
  HARMONY_FAULT("systemd.transient.before");
  const auto what = "cannot start " + quoted(unit.name);
  auto replies = replies_of(
    *loop_,
    loop_->call({manager_call("StartTransientUnit",
                              {unit.name, std::string{"fail"}, unit.settings, no_auxiliary_units{}},
                              bus_answer::path)},
                limit.deadline),
    what, limit);
  if (!replies)
    return replies.error();
  if (const auto& error = replies->front().error)
    return from_bus(what, *error);
  HARMONY_FAULT("systemd.transient.after");
  return {};
}

outcome<std::optional<transient_run>> systemd_manager::run_of(const std::string& unit,
                                                              const wait_limit& limit) {
  HARMONY_FAULT("systemd.transient.look");
  const auto what = "cannot look at " + quoted(unit);
  auto replies = replies_of(*loop_, loop_->call(run_calls(unit), limit.deadline), what, limit);
  if (!replies)
    return replies.error();
  for (const auto& r : *replies)
    if (r.error)
      return from_bus(what, *r.error);
  if (replies->front().units.size() != 1)
    return {ec::internal, what + ": not one row for one name"};
  auto& row = replies->front().units.front();
  if (row.load == "not-found" && row.active == "inactive")
    return std::optional<transient_run>{};
  transient_run run;
  run.description = value_or((*replies)[1].value, std::string{});
  run.active_state = std::move(row.active);
  run.queued = row.job != 0;
  run.result.result = value_or((*replies)[2].value, std::string{});
  run.result.code = value_or((*replies)[3].value, std::int32_t{0});
  run.result.status = value_or((*replies)[4].value, std::int32_t{0});
  run.started = time_of((*replies)[5].value);
  run.ended = time_of((*replies)[6].value);
  return std::optional{std::move(run)};
}

outcome<std::optional<transient_run>> systemd_manager::await_end(const std::string& unit,
                                                                 const wait_limit& limit) {
  for (;;) {
    // Asked for before the look, so that an end in between is not missed.
    const auto end_of_job = loop_->job_end(unit);
    auto run = run_of(unit, limit);
    if (!run || !*run || (*run)->over()) {
      loop_->abandon(end_of_job);
      return run;
    }
    const auto ended =
      replies_of(*loop_, end_of_job, "cannot await the end of " + quoted(unit), limit);
    if (!ended)
      return ended.error();
    if (const auto& error = ended->front().error)
      return from_bus("cannot await the end of " + quoted(unit), *error);
  }
}

outcome<void> systemd_manager::discard(const std::string& unit, const wait_limit& limit) {
  for (bool stopped = false;;) {
    const auto now = run_of(unit, limit);
    if (!now)
      return now.error();
    if (!*now)
      return {};
    const auto& state = (*now)->active_state;
    if (!stopped && ((*now)->queued || (state != "inactive" && state != "failed"))) {
      const auto ended = run(unit_job::stop, unit, limit);
      if (!ended && ended.error().code != ec::unit_not_found)
        return ended.error();
      if (ended && ended->empty())
        return interrupted("cannot stop " + quoted(unit),
                           limit.cancel.stop_requested() ? ending::canceled : ending::timed_out);
      stopped = true;
    }
    if (auto done = reset_failed(unit, limit); !done)
      return done;
    if (clock::now() >= limit.deadline)
      return interrupted("cannot discard " + quoted(unit), ending::timed_out);
    if (limit.cancel.stop_requested())
      return interrupted("cannot discard " + quoted(unit), ending::canceled);
    std::this_thread::sleep_for(collection_step);
  }
}

} // namespace harmony
