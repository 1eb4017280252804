#include "reconcilers/shell_job.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "topology/output_file.hpp"

namespace harmony {

namespace {

using clock = std::chrono::steady_clock;
using stage = job_record::stage;

/// Between looks at how much a running job has written: short at first, as most jobs are.
constexpr std::chrono::milliseconds first_watch{250};
constexpr std::chrono::milliseconds longest_watch{1000};
/// Read of the output beyond what is kept, so that a character is not cut in two.
constexpr std::size_t output_slack = 4;

job_output output_of(const transient_port& manager, const std::string& unit) {
  const auto& folder = manager.output_folder();
  return {folder / (unit + ".stdout"), folder / (unit + ".stderr")};
}

void remove_output(const job_output& files) {
  std::error_code ignored;
  std::filesystem::remove(files.out, ignored);
  std::filesystem::remove(files.err, ignored);
}

/// Whether a request that failed so may have been carried out all the same.
bool is_uncertain(ec code) {
  return code == ec::timed_out || code == ec::canceled || code == ec::runtime_unavailable;
}

/// What a run ended with, for the audit log.
std::string ending_of(const job_record& r) {
  auto text = r.result;
  if (!r.state.signal.empty())
    text += ", signal " + r.state.signal;
  if (r.state.exit_code)
    text += ", exit status " + std::to_string(*r.state.exit_code);
  return text;
}

/// Puts what has happened on record: durably before going on, or else as soon as that can be done.
void tell(audit_trail* audit, const audit_event& e) {
  if (audit != nullptr && !audit->append(e))
    audit->note(e);
}

/// One apply: its steps, and what they share.
class job_application {
public:
  job_application(transient_port& manager, const shell_job_config& config,
                  const desired<shell_job_spec>& want, op_context& ctx)
    : manager_(manager),
      config_(config),
      want_(want),
      ctx_(ctx),
      limit_{ctx.cancel, ctx.deadline},
      unit_(job_unit_name(want.id)),
      output_(output_of(manager, unit_)) {}

  /// Lets go of a run whose end is recorded.
  outcome<void> tidy() {
    remove_output(output_);
    return manager_.discard(unit_, limit_);
  }

  /// Takes away a run that is not wanted: of another desire, or one whose failure is recorded.
  outcome<void> replace(const shell_job_observed& seen) {
    if (seen.record && seen.record->at == stage::running)
      tell_end(*seen.record, seen.over ? "ended; another revision is wanted"
                                       : "killed: another revision is wanted");
    return tidy();
  }

  /// A run left no result: that is a failure, which is made good by another run, later.
  outcome<void> interrupt(job_record record) {
    record.at = stage::ended;
    record.result = "interrupted";
    return conclude(record);
  }

  outcome<void> run(const shell_job_observed& seen) {
    const auto& spec = want_.spec;
    if (seen.record && seen.record->at == stage::checking) // an apply ended in its guard
      if (auto done = manager_.discard(guard_unit_name(want_.id), limit_); !done)
        return done;
    if (!spec.creates.empty() || !spec.unless.empty()) {
      if (auto done = claim(begin_record(want_, stage::checking)); !done)
        return done;
      auto needless = guarded();
      if (!needless)
        return needless.error();
      if (!needless->empty())
        return skip(*needless);
    }
    if (auto noted = note("job-started", {}); !noted)
      return noted;
    if (auto done = claim(begin_record(want_, stage::running)); !done)
      return done;
    if (auto started = start(); !started) {
      if (is_uncertain(started.error().code))
        return started;
      auto record = begin_record(want_, stage::ended);
      record.result = "not-started";
      tell_end(record, "not started: " + started.error().message);
      static_cast<void>(claim(record).ok()); // at worst it counts as interrupted
      return started;
    }
    return follow(begin_record(want_, stage::running));
  }

  /// Waits for the end of a run that is under way, and records it.
  outcome<void> follow(job_record record) {
    auto ended = await(unit_, &output_);
    if (!ended)
      return ended.error();
    if (!*ended)
      return interrupt(std::move(record));
    note_end(record, **ended);
    record.state.standard_output = output_text(output_.out);
    record.state.standard_error = output_text(output_.err);
    return conclude(record);
  }

private:
  outcome<void> claim(const job_record& r) {
    return ctx_.owned.claim({want_.id, unit_, true, write_job_record(r)});
  }

  /// Puts it on record, and fails where that cannot be done.
  outcome<void> note(std::string event, std::string result) {
    if (config_.audit == nullptr)
      return {};
    return config_.audit->append({std::move(event),
                                  want_.id.str(),
                                  want_.revision,
                                  want_.origin,
                                  "store",
                                  {},
                                  std::move(result)});
  }

  /// What ended did run: that it cannot be told now changes nothing.
  void tell_end(const job_record& record, std::string result) {
    tell(
      config_.audit,
      {"job-ended", want_.id.str(), record.revision, want_.origin, "store", {}, std::move(result)});
  }

  /// The end of a run: told, recorded, and only then forgotten by the manager.
  outcome<void> conclude(const job_record& record) {
    tell_end(record, ending_of(record));
    if (auto done = claim(record); !done)
      return done;
    auto tidied = tidy();
    if (auto judged = verdict(record, want_.spec, unit_); !judged)
      return judged;
    return tidied;
  }

  outcome<void> skip(const std::string& guard) {
    auto record = begin_record(want_, stage::ended);
    record.result = "skipped";
    record.state.skipped = guard;
    static_cast<void>(note("job-skipped", guard).ok());
    return claim(record);
  }

  /// The guard that makes a run needless; empty: none does.
  outcome<std::string> guarded() {
    const auto& spec = want_.spec;
    std::error_code error;
    if (!spec.creates.empty()
        && std::filesystem::exists(std::filesystem::symlink_status(spec.creates, error)))
      return std::string{"creates"};
    if (spec.unless.empty())
      return std::string{};
    const auto guard = guard_unit_name(want_.id);
    if (auto noted = note("guard-started", {}); !noted)
      return noted.error();
    if (auto done = manager_.start_transient(
          job_unit(want_, guard, description(), spec.unless, config_.hidden), limit_);
        !done)
      return done.error();
    auto ended = await(guard, nullptr);
    if (!ended)
      return ended.error();
    job_record result;
    if (*ended)
      note_end(result, **ended);
    static_cast<void>(note("guard-ended", ending_of(result)).ok());
    if (auto done = manager_.discard(guard, limit_); !done)
      return done.error();
    return judge_guard(result);
  }

  /// An exit status is an answer; anything else is a guard that did not answer.
  [[nodiscard]] outcome<std::string> judge_guard(const job_record& result) const {
    if (result.settled())
      return std::string{"unless"};
    if (result.result == "exit-code" && !could_not_run(result))
      return std::string{};
    auto guard = want_.spec;
    guard.command = guard.unless;
    auto why = verdict(result, guard, guard_unit_name(want_.id));
    return failure{why.error().code, "the guard 'unless': " + why.error().message};
  }

  outcome<void> start() {
    if (auto done = manager_.make_output_folder(limit_); !done)
      return done;
    remove_output(output_);
    auto unit = job_unit(want_, unit_, description(), want_.spec.command, config_.hidden);
    redirect(unit, output_);
    return manager_.start_transient(unit, limit_);
  }

  /// Waits for the end of `unit`; meanwhile keeps what it writes small. A failure leaves it
  /// running.
  outcome<std::optional<transient_run>> await(const std::string& unit, const job_output* output) {
    for (auto watch = first_watch;; watch = std::min(watch * 2, longest_watch)) {
      auto limit = limit_;
      limit.deadline = std::min(limit.deadline, clock::now() + watch);
      auto ended = manager_.await_end(unit, limit);
      if (ended || ended.error().code != ec::timed_out)
        return ended;
      if (clock::now() >= limit_.deadline)
        return failure{ec::timed_out, unit + " still runs; it goes on, and is awaited again"};
      if (output != nullptr) {
        keep_tail(output->out, job_output_limit);
        keep_tail(output->err, job_output_limit);
      }
    }
  }

  [[nodiscard]] static std::string output_text(const std::filesystem::path& file) {
    return tail_as_text(read_tail(file, job_output_limit + output_slack), job_output_limit);
  }

  [[nodiscard]] std::string description() const {
    return job_marker(ctx_.agent, want_.id) + job_desire(want_);
  }

  transient_port& manager_;
  const shell_job_config& config_;
  const desired<shell_job_spec>& want_;
  op_context& ctx_;
  wait_limit limit_;
  std::string unit_;
  job_output output_;
};

/// The record to go on with when a run of this desire is there, whatever the inventory says.
job_record record_of_run(const desired<shell_job_spec>& want, const shell_job_observed& seen) {
  if (seen.record && seen.record->desire == job_desire(want) && seen.record->at == stage::running)
    return *seen.record;
  return begin_record(want, stage::running);
}

} // namespace

outcome<shell_job_observed> shell_job_operations::observe(const desired<shell_job_spec>& want,
                                                          op_context& ctx) {
  shell_job_observed seen;
  const auto unit = job_unit_name(want.id);
  if (const auto known = ctx.owned.find(want.id, unit))
    seen.record = read_job_record(known->note);
  const auto run = manager_.run_of(unit, {ctx.cancel, ctx.deadline});
  if (!run)
    return run.error();
  if (!*run)
    return seen;
  const auto marker = job_marker(ctx.agent, want.id);
  const auto& description = (*run)->description;
  if (!description.starts_with(marker))
    seen.unit = job_unit_owner::foreign;
  else if ((*run)->over() && (*run)->active_state == "inactive") // about to be collected
    return seen;
  else
    seen.unit =
      description == marker + job_desire(want) ? job_unit_owner::current : job_unit_owner::former;
  seen.over = (*run)->over();
  if ((*run)->started)
    seen.started = format_time(*(*run)->started);
  return seen;
}

outcome<void> shell_job_operations::apply(const desired<shell_job_spec>& want, op_context& ctx) {
  const auto seen = observe(want, ctx);
  if (!seen)
    return seen.error();
  job_application steps{manager_, config_, want, ctx};
  switch (next_step(want, *seen)) {
  case job_step::none: return {};
  case job_step::conflict: return plan(want, *seen).error();
  case job_step::tidy: return steps.tidy();
  case job_step::follow: return steps.follow(record_of_run(want, *seen));
  case job_step::interrupt: return steps.interrupt(*seen->record);
  case job_step::replace:
    if (auto done = steps.replace(*seen); !done)
      return done;
    return steps.run(*seen);
  case job_step::run: return steps.run(*seen);
  }
  return {};
}

outcome<void> shell_job_operations::remove(const owned_target& owned, op_context& ctx) {
  const wait_limit limit{ctx.cancel, ctx.deadline};
  const auto marker = job_marker(ctx.agent, owned.owner);
  for (const auto& unit : {owned.target, guard_unit_name(owned.owner)}) {
    const auto run = manager_.run_of(unit, limit);
    if (!run)
      return run.error();
    if (!*run || !(*run)->description.starts_with(marker))
      continue;
    if (!(*run)->over() && unit == owned.target)
      tell(config_.audit, {"job-ended",
                           owned.owner.str(),
                           read_job_record(owned.note).value_or(job_record{}).revision,
                           {},
                           "store",
                           {},
                           "killed: it left the manifest"});
    if (auto done = manager_.discard(unit, limit); !done)
      return done;
  }
  remove_output(output_of(manager_, owned.target));
  return ctx.owned.release(owned.owner, owned.target);
}

} // namespace harmony
