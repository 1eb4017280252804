#include "guard/backstop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

namespace {

look look_at(const page& p) {
  // `writable` last: it is set after its deadline.
  look seen;
  seen.writable = p.writable;
  seen.killing = p.killing;
  seen.deadline = boot_time{p.deadline};
  seen.beats = p.beats;
  return seen;
}

/// Kills all descendants of this process and waits for their end.
void kill_all() {
  for (int empty = 0; empty < 2;) {
    empty = kill_descendants(::getpid()) == 0 ? empty + 1 : 0;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (empty == 0)
      ::poll(nullptr, 0, 10);
  }
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
}

class backstop {
public:
  backstop(pid_t guard, const page& shown, int changed)
    : guard_(guard), page_(shown), changed_(changed), watchdog_(watchdog_period() / 3) {}

  int run() {
    std::array<pollfd, 3> ready{
      {{signals_.get(), POLLIN, 0}, {changed_, POLLIN, 0}, {timer_.get(), POLLIN, 0}}};
    while (!ended_) {
      set_timer(timer_.get(), next_wake());
      ::poll(ready.data(), ready.size(), -1);
      std::uint64_t drop = 0;
      for (const int fd : {changed_, timer_.get()})
        while (::read(fd, &drop, sizeof drop) > 0) {
        }
      take_signals();
      tell();
      if (!ended_)
        watch();
    }
    kill_all();
    return code_;
  }

private:
  static open_fd block_signals() {
    sigset_t all;
    ::sigemptyset(&all);
    for (const int each : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
      ::sigaddset(&all, each);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    return open_fd{::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK)};
  }

  boot_time next_wake() {
    const auto look_again = next_look(before_, boot_now());
    if (watchdog_.count() == 0)
      return look_again;
    return look_again.count() == 0 ? next_ping_ : std::min(look_again, next_ping_);
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) > 0)
      if (info.ssi_signo != SIGCHLD) {
        tell_manager("STOPPING=1");
        ::kill(guard_, SIGTERM);
      }
    int how = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &how, WNOHANG)) > 0;)
      if (pid == guard_) {
        ended_ = true;
        code_ = WIFEXITED(how) ? WEXITSTATUS(how) : 1;
        static_cast<void>(kill_descendants(::getpid())); // before any word: a log may hang
        if (WIFSIGNALED(how))
          say("the guard's process was killed by signal " + std::to_string(WTERMSIG(how))
              + ": PostgreSQL is killed");
      }
  }

  /// The manager hears what the guard's progress shows, and nothing where it makes none.
  void tell() {
    if (page_.ready && !told_ready_) {
      told_ready_ = true;
      tell_manager("READY=1");
    }
    const auto now = boot_now();
    if (watchdog_.count() == 0 || now < next_ping_)
      return;
    next_ping_ = now + watchdog_;
    if (const auto beats = page_.beats.load(); beats != pinged_) {
      pinged_ = beats;
      tell_manager("WATCHDOG=1");
    }
  }

  void watch() {
    const auto now = boot_now();
    const auto seen = look_at(page_);
    if (now < next_comparison_ && seen.killing)
      return;
    next_comparison_ = now + backstop_grace;
    if (hung(before_, seen, now)) {
      static_cast<void>(kill_descendants(::getpid()));
      say("the guard does not act on its deadline: it and PostgreSQL are killed");
      ended_ = true;
      code_ = 1;
    }
    before_ = seen;
  }

  pid_t guard_;
  const page& page_;
  int changed_;
  boot_time watchdog_;
  open_fd signals_ = block_signals();
  open_fd timer_ = make_timer();
  look before_;
  boot_time next_comparison_{0}, next_ping_{0};
  std::uint64_t pinged_ = 0;
  bool told_ready_ = false;
  bool ended_ = false;
  int code_ = 1;
};

} // namespace

int watch_over(pid_t guard, const page& shown, int changed) {
  return backstop{guard, shown, changed}.run();
}

} // namespace harmony::guard
