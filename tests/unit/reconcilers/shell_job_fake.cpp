#include "shell_job_fake.hpp"

#include <thread>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

constexpr timestamp begun{std::chrono::milliseconds{1'700'000'000'000}};

} // namespace

outcome<void> fake_jobs::begin(const std::string& call) {
  before(call);
  calls.push_back(call);
  if (const auto f = failures.find(call); f != failures.end())
    return f->second;
  return {};
}

outcome<void> fake_jobs::start_transient(const transient_unit& what, const wait_limit& /*limit*/) {
  const auto call = "start " + what.name;
  if (auto may = begin(call); !may)
    return may;
  if (units.count(what.name) != 0)
    return {ec::name_conflict, "unit '" + what.name + "' exists"};
  transient_run run;
  run.description = *setting<std::string>(what, "Description");
  run.active_state = "activating";
  run.queued = true;
  run.started = begun;
  units[what.name] = {what, run};
  ++runs[setting<exec_line>(what, "ExecStartEx")->arguments.front()];
  after(call);
  return {};
}

outcome<std::optional<transient_run>> fake_jobs::run_of(const std::string& name,
                                                        const wait_limit& /*limit*/) {
  const auto found = units.find(name);
  return found == units.end() ? std::optional<transient_run>{} : found->second.run;
}

outcome<std::optional<transient_run>> fake_jobs::await_end(const std::string& name,
                                                           const wait_limit& limit) {
  const auto found = units.find(name);
  if (found == units.end())
    return std::optional<transient_run>{};
  auto& [what, run] = found->second;
  if (run.over())
    return std::optional{run};
  const auto program = setting<exec_line>(what, "ExecStartEx")->arguments.front();
  if (program == "/bin/hang") {
    while (std::chrono::steady_clock::now() < limit.deadline && !limit.cancel.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return failure{limit.cancel.stop_requested() ? ec::canceled : ec::timed_out, "it hangs"};
  }
  const auto& end = programs[program];
  run.active_state = end.active;
  run.queued = false;
  run.result = end.result;
  run.ended = begun + std::chrono::seconds{2};
  if (const auto* out = setting<std::string>(what, "StandardOutputFileToTruncate"))
    write_file(*out, end.out);
  if (const auto* err = setting<std::string>(what, "StandardErrorFileToTruncate"))
    write_file(*err, end.err);
  return std::optional{run};
}

outcome<void> fake_jobs::discard(const std::string& name, const wait_limit& /*limit*/) {
  const auto call = "discard " + name;
  if (auto may = begin(call); !may)
    return may;
  units.erase(name);
  after(call);
  return {};
}

job_device::job_device() {
  owned.before = [this](const char* what) {
    manager.before(what);
    manager.calls.emplace_back(what);
    return outcome<void>{};
  };
  owned.after = [this](const char* what) { manager.after(what); };
}

outcome<void> job_device::append(const audit_event& e) {
  const auto call = "audit " + std::string{e.event};
  manager.before(call);
  manager.calls.push_back(call);
  if (const auto f = manager.failures.find(call); f != manager.failures.end())
    return f->second;
  audited.push_back(e);
  manager.after(call);
  return {};
}

outcome<void> job_device::converge(const want_t& want, std::chrono::milliseconds limit) {
  op_context ctx{"dev", owned, {}, std::chrono::steady_clock::now() + limit};
  const auto seen = jobs.observe(want, ctx);
  REQUIRE(seen.ok());
  const auto todo = shell_job_operations::plan(want, *seen);
  if (!todo)
    return todo.error();
  return todo->empty() ? outcome<void>{} : jobs.apply(want, ctx);
}

shell_job_observed job_device::look(const want_t& want) {
  op_context ctx{"dev", owned, {}};
  const auto seen = jobs.observe(want, ctx);
  REQUIRE(seen.ok());
  return *seen;
}

job_state job_device::state(const want_t& want) {
  return std::get<job_state>(shell_job_operations::report(look(want)));
}

bool job_device::converged(const want_t& want) {
  const auto todo = shell_job_operations::plan(want, look(want));
  return todo.ok() && todo->empty();
}

outcome<void> job_device::remove(const want_t& want) {
  op_context ctx{"dev", owned, {}};
  const auto record = owned.find(want.id, job_service);
  return record ? jobs.remove(*record, ctx) : outcome<void>{};
}

} // namespace harmony::test
