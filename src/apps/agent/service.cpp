#include "apps/agent/service.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "apps/agent/memory.hpp"

namespace harmony {

namespace {

/// After the start: by then a device has converged, or waits for something slow.
constexpr std::chrono::seconds trim_delay{5};

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

timespec to_timespec(std::chrono::nanoseconds d) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {whole.count(), (d - whole).count()};
}

std::uint64_t monotonic_microseconds() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
    duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
}

} // namespace

void service_manager::block_signals() {
  const auto set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

service_manager::service_manager(root_actor agent)
  : agent_(std::move(agent)), trims_at_(std::chrono::steady_clock::now() + trim_delay) {
  std::uint64_t period = 0;
  if (sd_watchdog_enabled(0, &period) > 0)
    watchdog_ = std::chrono::microseconds{period};
}

void service_manager::ready() {
  sd_notify(0, "READY=1\nSTATUS=converging to its manifest");
}

void service_manager::reloading() {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
             static_cast<unsigned long long>(monotonic_microseconds()));
}

void service_manager::stopping() {
  sd_notify(0, "STOPPING=1");
}

int service_manager::wait() {
  const auto set = handled_signals();
  for (;;) {
    if (watchdog_ && all_present())
      sd_notify(0, "WATCHDOG=1");
    siginfo_t from{};
    const auto pause = to_timespec(next_pause());
    const int signal =
      trims_at_ || watchdog_ ? sigtimedwait(&set, &from, &pause) : sigwaitinfo(&set, &from);
    if (signal > 0) { // else it was interrupted: a process that was stopped goes on
      spdlog::info("signal {} of process {}, user {}", signal, from.si_pid, from.si_uid);
      return signal;
    }
    if (trims_at_ && std::chrono::steady_clock::now() >= *trims_at_) {
      trims_at_.reset();
      give_back_startup_memory();
    }
  }
}

std::chrono::nanoseconds service_manager::next_pause() const {
  std::chrono::nanoseconds pause = std::chrono::nanoseconds::max();
  if (watchdog_)
    pause = *watchdog_ / 3;
  if (trims_at_)
    pause = std::clamp<std::chrono::nanoseconds>(*trims_at_ - std::chrono::steady_clock::now(),
                                                 std::chrono::nanoseconds::zero(), pause);
  return pause;
}

/// Whether all answered the last roll call; if so, begins the next.
bool service_manager::all_present() {
  if (roll_ && *roll_ < roll_call_size)
    return false;
  roll_ = std::make_shared<std::atomic<unsigned>>(0);
  caf::anon_send(agent_, roll_call{roll_});
  return true;
}

} // namespace harmony
