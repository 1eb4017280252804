#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "reconcilers/shell_job.hpp"
#include "support/memory_inventory.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

/// Transient units in memory. A unit runs until somebody awaits its end; then the entry of
/// `programs` for its command's first word says how it ended. "/bin/hang" does not end.
class fake_jobs final : public transient_port {
public:
  struct ending {
    std::string active = "active";
    unit_result result{"success", 1, 0, true};
    std::string out, err;
  };
  struct unit {
    transient_unit what;
    transient_run run;
  };

  std::map<std::string, unit> units;
  std::map<std::string, ending> programs; ///< by the command's first word; others succeed
  std::map<std::string, int> runs;        ///< by the command's first word
  std::vector<std::string> calls;         ///< that change something, in order
  /// Called before and after every call that changes something.
  std::function<void(const std::string& call)> before = [](const std::string&) {};
  std::function<void(const std::string& call)> after = [](const std::string&) {};
  std::map<std::string, failure> failures; ///< by call: it fails like this
  temp_dir folder;

  [[nodiscard]] const std::filesystem::path& output_folder() const override {
    return folder.path();
  }
  outcome<void> make_output_folder(const wait_limit& /*limit*/) override { return {}; }
  outcome<void> start_transient(const transient_unit& what, const wait_limit& limit) override;
  outcome<std::optional<transient_run>> run_of(const std::string& name,
                                               const wait_limit& limit) override;
  outcome<std::optional<transient_run>> await_end(const std::string& name,
                                                  const wait_limit& limit) override;
  outcome<void> discard(const std::string& name, const wait_limit& limit) override;

private:
  outcome<void> begin(const std::string& call);
};

/// A setting of `unit`; null when it has none of that name and type.
template <class T>
const T* setting(const transient_unit& unit, std::string_view name) {
  for (const auto& s : unit.settings)
    if (s.name == name)
      return std::get_if<T>(&s.value);
  return nullptr;
}

/// A device with jobs, an inventory and an audit trail, which all share one list of calls.
class job_device : public audit_trail {
public:
  job_device();

  void note(audit_event /*e*/) override {}
  outcome<void> append(const audit_event& e) override;

  using want_t = desired<shell_job_spec>;
  outcome<void> converge(const want_t& want,
                         std::chrono::milliseconds limit = std::chrono::hours{1});
  shell_job_observed look(const want_t& want);
  job_state state(const want_t& want);
  bool converged(const want_t& want);
  outcome<void> remove(const want_t& want);
  std::vector<std::string> take_calls() { return std::exchange(manager.calls, {}); }

  fake_jobs manager;
  memory_inventory owned;
  std::vector<audit_event> audited;
  shell_job_operations jobs{manager, {this, {"/var/lib/harmony-agent"}}};
};

inline const std::string job_service = "harmony-job-once.service";

inline job_device::want_t job_want(std::string program = "/bin/ok") {
  shell_job_spec spec;
  spec.command = {std::move(program), "argument"};
  return {{"ShellJob", "once"}, std::move(spec), "sha256:1", {}, "rollout/7"};
}

} // namespace harmony::test
