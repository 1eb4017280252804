#include <cerrno>
#include <csignal>
#include <new>
#include <string>
#include <utility>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "apps/pgguard/options.hpp"
#include "guard/backstop.hpp"
#include "guard/keeper.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

namespace {

void print(int fd, const std::string& text) {
  write_all(fd, text);
}

/// Both halves keep what they got before the fork: signals that wait, and the page.
int run(options o) {
  sigset_t all;
  ::sigemptyset(&all);
  for (const int each : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
    ::sigaddset(&all, each);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Orphans of a guard that dies come here.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  auto* memory =
    ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const open_fd changed{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (memory == MAP_FAILED || !changed) {
    say(because("cannot start", errno));
    return 1;
  }
  auto& shown = *new (memory) page;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    say(because("cannot start", errno));
    return 1;
  }
  if (child == 0) {
    // Not by PR_SET_PDEATHSIG, which the kernel forgets when the rights to files change.
    const open_fd backstop{static_cast<int>(::syscall(SYS_pidfd_open, parent, 0))};
    if (!backstop || ::getppid() != parent)
      return 1;
    return keeper{std::move(o.which), std::move(o.socket), shown, backstop.get(), changed.get()}
      .run();
  }
  std::string lacking; // the guard says the same
  harden(lacking);
  return watch_over(child, shown, changed.get());
}

} // namespace

} // namespace harmony::guard

int main(int argc, char* argv[]) {
  using namespace harmony::guard;
  auto read = read_options(argc, argv);
  if (const auto* exit = std::get_if<early_exit>(&read)) {
    print(exit->code == 0 ? STDOUT_FILENO : STDERR_FILENO, exit->text);
    return exit->code;
  }
  return run(std::move(*std::get_if<options>(&read)));
}
