#include "apps/ctl/interrupt.hpp"

#include <csignal>

#include <pthread.h>

namespace harmony::ctl {

namespace {

sigset_t signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

} // namespace

std::stop_token interrupt_watcher::start() {
  if (waiting_.joinable())
    return source_.get_token();
  const auto set = signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiting_ = std::thread{[this, set] {
    int which = 0;
    while (sigwait(&set, &which) != 0) {
    }
    if (!ending_)
      source_.request_stop();
  }};
  return source_.get_token();
}

interrupt_watcher::~interrupt_watcher() {
  if (!waiting_.joinable())
    return;
  ending_ = true;
  // Wakes sigwait. The signal is blocked in every thread, so it ends nothing.
  // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread)
  pthread_kill(waiting_.native_handle(), SIGTERM);
  waiting_.join();
}

} // namespace harmony::ctl
