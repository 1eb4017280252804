#pragma once

// Jobs on a real service manager; what they leave is removed at the end.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "device_fixture.hpp"
#include "reconcilers/shell_job.hpp"

namespace harmony::test {

using desired_job = desired<shell_job_spec>;

inline desired_job job_of(const std::string& name, std::vector<std::string> command) {
  shell_job_spec spec;
  spec.command = std::move(command);
  spec.timeout = 30;
  return {{"ShellJob", name}, std::move(spec), "sha256:1", {}, {}};
}

/// A job that runs `script` in a shell.
inline desired_job script_of(const std::string& name, const std::string& script) {
  return job_of(name, {"/bin/sh", "-c", script});
}

/// A folder that jobs see (/tmp is each one's own) and everybody may write to, while it lives.
class job_site {
public:
  job_site() {
    std::filesystem::create_directories(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::all);
  }
  ~job_site() { std::filesystem::remove_all(path_); }
  job_site(const job_site&) = delete;
  job_site& operator=(const job_site&) = delete;
  [[nodiscard]] std::string path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const {
    return std::filesystem::path{path_} / name;
  }

private:
  std::string path_ = "/srv/h-job-site";
};

/// Keeps the events: "job-started", "job-ended success, exit status 0".
class memory_audit final : public audit_trail {
public:
  std::vector<std::string> lines;

  void note(audit_event e) override { static_cast<void>(append(e).ok()); }
  outcome<void> append(const audit_event& e) override {
    const std::lock_guard lock{mutex_};
    lines.push_back(std::string{e.event} + (e.result.empty() ? "" : " " + e.result));
    return {};
  }

private:
  std::mutex mutex_;
};

class job_fixture {
public:
  job_fixture() { restart_agent(); }
  ~job_fixture() {
    for (const auto& record : owned.all())
      static_cast<void>(remove(record).ok());
  }
  job_fixture(const job_fixture&) = delete;
  job_fixture& operator=(const job_fixture&) = delete;

  /// Everything that an agent's process holds is made anew; what is on disk stays.
  void restart_agent() {
    reconciler.reset();
    topology.reset();
    topology = std::make_unique<real_topology>(systemd_config{});
    reconciler = std::make_unique<shell_job_reconciler<real_topology>>(
      *topology, shell_job_config{&audit, {"/var/lib/harmony-agent"}});
  }

  op_context context(milliseconds limit = seconds{30}) {
    return {"dev", owned, {}, clock::now() + limit};
  }

  shell_job_observed look(const desired_job& want) {
    auto ctx = context();
    auto seen = reconciler->observe(want, ctx);
    INFO((seen ? std::string{} : seen.error().message));
    REQUIRE(seen.ok());
    return *seen;
  }

  job_state state(const desired_job& want) {
    return std::get<job_state>(reconciler->report(look(want)));
  }

  /// Whether a look finds nothing to do.
  bool converged(const desired_job& want) {
    const auto todo = reconciler->plan(want, look(want));
    return todo.ok() && todo->empty();
  }

  /// One look, plan and apply.
  outcome<void> converge(const desired_job& want, milliseconds limit = seconds{30},
                         std::stop_token stop = {}) {
    op_context ctx{"dev", owned, std::move(stop), clock::now() + limit};
    auto seen = reconciler->observe(want, ctx);
    if (!seen)
      return seen.error();
    auto todo = reconciler->plan(want, *seen);
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : reconciler->apply(want, *todo, ctx);
  }

  /// converge, with success and nothing to do afterwards required.
  job_state must_converge(const desired_job& want) {
    const auto done = converge(want);
    INFO((done ? std::string{} : done.error().message));
    REQUIRE(done.ok());
    CHECK(converged(want));
    return state(want);
  }

  /// converge, with a failure required.
  failure must_fail(const desired_job& want) {
    const auto done = converge(want);
    REQUIRE_FALSE(done.ok());
    return done.error();
  }

  outcome<void> remove(const owned_target& record) {
    auto ctx = context();
    return reconciler->remove(record, ctx);
  }

  /// A property of the job's unit while it runs.
  static std::string property(const desired_job& want, const std::string& name) {
    return shell("systemctl show -P " + name + " " + job_unit_name(want.id));
  }

  memory_inventory owned;
  memory_audit audit;
  std::unique_ptr<real_topology> topology;
  std::unique_ptr<shell_job_reconciler<real_topology>> reconciler;
};

} // namespace harmony::test
