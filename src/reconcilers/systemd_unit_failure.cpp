#include "reconcilers/systemd_unit_failure.hpp"

#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>

namespace harmony {

namespace {

// systemd.exec(5), "Process exit codes": what failed before the unit's own program ran.
constexpr std::array<std::pair<int, const char*>, 44> exit_names{{{200, "CHDIR"},
                                                                  {201, "NICE"},
                                                                  {202, "FDS"},
                                                                  {203, "EXEC"},
                                                                  {204, "MEMORY"},
                                                                  {205, "LIMITS"},
                                                                  {206, "OOM_ADJUST"},
                                                                  {207, "SIGNAL_MASK"},
                                                                  {208, "STDIN"},
                                                                  {209, "STDOUT"},
                                                                  {210, "CHROOT"},
                                                                  {211, "IOPRIO"},
                                                                  {212, "TIMERSLACK"},
                                                                  {213, "SECUREBITS"},
                                                                  {214, "SETSCHEDULER"},
                                                                  {215, "CPUAFFINITY"},
                                                                  {216, "GROUP"},
                                                                  {217, "USER"},
                                                                  {218, "CAPABILITIES"},
                                                                  {219, "CGROUP"},
                                                                  {220, "SETSID"},
                                                                  {221, "CONFIRM"},
                                                                  {222, "STDERR"},
                                                                  {224, "PAM"},
                                                                  {225, "NETWORK"},
                                                                  {226, "NAMESPACE"},
                                                                  {227, "NO_NEW_PRIVILEGES"},
                                                                  {228, "SECCOMP"},
                                                                  {229, "SELINUX_CONTEXT"},
                                                                  {230, "PERSONALITY"},
                                                                  {231, "APPARMOR_PROFILE"},
                                                                  {232, "ADDRESS_FAMILIES"},
                                                                  {233, "RUNTIME_DIRECTORY"},
                                                                  {235, "CHOWN"},
                                                                  {236, "SMACK_PROCESS_LABEL"},
                                                                  {237, "KEYRING"},
                                                                  {238, "STATE_DIRECTORY"},
                                                                  {239, "CACHE_DIRECTORY"},
                                                                  {240, "LOGS_DIRECTORY"},
                                                                  {241, "CONFIGURATION_DIRECTORY"},
                                                                  {242, "NUMA_POLICY"},
                                                                  {243, "CREDENTIALS"},
                                                                  {244, "BPF"},
                                                                  {245, "KSM"}}};

std::string exit_text(int status) {
  auto text = std::to_string(status);
  for (const auto& [number, name] : exit_names)
    if (number == status)
      return text + "/" + name;
  return text;
}

std::string signal_text(int number) {
  const char* name = ::sigabbrev_np(number);
  return std::to_string(number) + (name == nullptr ? "" : std::string{"/"} + name);
}

std::string see_log(const systemd_port& manager, const std::string& unit) {
  return "; see " + std::string{manager.journal_command()} + " " + unit;
}

// How the last run ended, or `otherwise` where the manager cannot tell.
std::string ending_of(const outcome<unit_result>& r, const std::string& otherwise) {
  if (!r || r->result.empty() || r->result == "success")
    return otherwise;
  return text_of(*r);
}

} // namespace

std::string text_of(const unit_result& r) {
  if (r.code == CLD_EXITED && r.status != 0)
    return r.result + " " + exit_text(r.status);
  if (r.code == CLD_KILLED || r.code == CLD_DUMPED)
    return r.result + " " + signal_text(r.status);
  return r.result;
}

failure explain_job(systemd_port& manager, unit_job what, const std::string& unit,
                    std::string_view result, const wait_limit& limit) {
  const auto job = std::string{name_of(what)} + " of " + unit;
  if (result.empty() && limit.cancel.stop_requested())
    return {ec::canceled, "the " + job + " was left to itself: canceled"};
  if (result.empty())
    return {ec::timed_out, "the " + job
                             + " had not ended by the deadline; it goes on, and is "
                               "waited for again"
                             + see_log(manager, unit)};
  if (result == "dependency")
    return {ec::unit_failed, unit
                               + " was not started: a unit that it requires failed; see "
                                 "systemctl list-dependencies "
                               + unit};
  if (result == "canceled")
    return {ec::unit_failed, "the " + job + " was canceled by another job for it"};
  if (result == "assert")
    return {ec::unit_failed,
            unit + " was not started: an Assert… of it does not hold" + see_log(manager, unit)};
  const auto how = ending_of(manager.result(unit, limit), std::string{result});
  return {ec::unit_failed, unit + " failed: " + how + see_log(manager, unit)};
}

std::optional<failure> explain_state(systemd_port& manager, const std::string& unit,
                                     const wait_limit& limit) {
  const auto rows = manager.list({unit}, limit);
  if (!rows)
    return {}; // nothing was learnt
  const auto& now = rows->front();
  const bool restarting = now.sub == "auto-restart";
  if (now.active != "inactive" && now.active != "failed" && !restarting)
    return {};
  const auto ended = manager.result(unit, limit);
  if (ended && !ended->condition)
    return failure{ec::unit_failed, unit + " was not started: a Condition… of it does not hold"
                                      + see_log(manager, unit)};
  const auto how = ending_of(ended, "");
  if (restarting)
    return failure{ec::unit_failed, unit + " ended" + (how.empty() ? "" : " (" + how + ")")
                                      + " and waits for systemd to restart it"
                                      + see_log(manager, unit)};
  if (!how.empty())
    return failure{ec::unit_failed, unit + " failed: " + how + see_log(manager, unit)};
  return failure{ec::unit_failed,
                 unit
                   + " was started and is not active: it ran to its end (a oneshot "
                     "service needs RemainAfterExit=yes, or manage the timer that starts "
                     "it), or a Condition… of it does not hold"
                   + see_log(manager, unit)};
}

} // namespace harmony
