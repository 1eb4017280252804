// What is to be done for a job, and what a status shows of it: pure.

#include "reconcilers/shell_job.hpp"

namespace harmony {

namespace {

/// Where the last run stands, for a person.
std::string standing(const shell_job_observed& seen) {
  if (!seen.record)
    return seen.unit == job_unit_owner::none ? "" : "not in the inventory";
  if (seen.record->at != job_record::stage::ended)
    return "not ended";
  return seen.record->result;
}

} // namespace

job_step shell_job_operations::next_step(const desired<shell_job_spec>& want,
                                         const shell_job_observed& seen) {
  const bool known = seen.record && seen.record->desire == job_desire(want);
  const bool settled = known && seen.record->settled();
  switch (seen.unit) {
  case job_unit_owner::foreign: return job_step::conflict;
  case job_unit_owner::former: return job_step::replace;
  case job_unit_owner::current:
    // Its end was recorded already: well, or it is to be made again.
    if (settled)
      return job_step::tidy;
    return known && seen.record->at == job_record::stage::ended ? job_step::replace
                                                                : job_step::follow;
  case job_unit_owner::none: break;
  }
  if (settled)
    return job_step::none;
  return known && seen.record->at == job_record::stage::running ? job_step::interrupt
                                                                : job_step::run;
}

outcome<std::vector<change>> shell_job_operations::plan(const desired<shell_job_spec>& want,
                                                        const shell_job_observed& seen) {
  const auto unit = job_unit_name(want.id);
  std::vector<change> todo;
  switch (next_step(want, seen)) {
  case job_step::none: break;
  case job_step::conflict:
    return {ec::name_conflict, "unit '" + unit
                                 + "' is there and is not this agent's; stop it, or choose another "
                                   "name for the resource"};
  case job_step::tidy: todo.push_back({action::remove, "unit", unit, ""}); break;
  case job_step::follow:
    todo.push_back({action::update, "run", seen.over ? "ended" : "running", "recorded"});
    break;
  case job_step::interrupt:
    todo.push_back({action::update, "run", "interrupted", "recorded"});
    break;
  case job_step::replace:
    todo.push_back({action::restart, "run", "of another revision", want.revision});
    break;
  case job_step::run:
    todo.push_back(
      {seen.record ? action::restart : action::create, "run", standing(seen), want.revision});
    break;
  }
  return todo;
}

resource_state shell_job_operations::report(const shell_job_observed& seen) {
  if (seen.unit == job_unit_owner::current && !seen.over) {
    job_state running;
    running.started = seen.started;
    return running;
  }
  return seen.record ? seen.record->state : job_state{};
}

} // namespace harmony
