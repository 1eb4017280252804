// Killing by process group. What a container adds is tested with a real podman.

#include "topology/container_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

/// A child that waits for its end; it leads a group of its own, or stays in the test's.
class waiting_child {
public:
  explicit waiting_child(bool own_group) : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;)
        ::pause();
    }
    if (own_group)
      ::setpgid(pid_, pid_);
  }
  waiting_child(const waiting_child&) = delete;
  waiting_child& operator=(const waiting_child&) = delete;
  ~waiting_child() {
    ::kill(pid_, SIGKILL);
    if (!reaped_)
      ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// The signal that ended it. Waits for its end.
  int signal() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    reaped_ = true;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

private:
  pid_t pid_;
  bool reaped_ = false;
};

} // namespace

TEST_CASE("container process: a group beside the container's first process -> killed whole") {
  const waiting_child first{true};
  waiting_child command{true};
  waiting_child helper{false};
  REQUIRE(::setpgid(helper.pid(), command.pid()) == 0);
  CHECK(kill_in_container(command.pid(), first.pid()));
  CHECK(command.signal() == SIGKILL);
  CHECK(helper.signal() == SIGKILL);
}

TEST_CASE("container process: not a command of that container -> nothing is killed") {
  const waiting_child first{true};
  const waiting_child ours{false}; // in the group of its parent, which a runtime's would be
  CHECK_FALSE(kill_in_container(ours.pid(), first.pid()));
  CHECK_FALSE(kill_in_container(first.pid(), first.pid()));
  CHECK_FALSE(kill_in_container(0, first.pid()));
  CHECK_FALSE(kill_in_container(first.pid(), 0));
  CHECK_FALSE(kill_in_container(-1, first.pid()));
  CHECK(::kill(ours.pid(), 0) == 0);
  CHECK(::waitpid(first.pid(), nullptr, WNOHANG) == 0);
  CHECK(::waitpid(ours.pid(), nullptr, WNOHANG) == 0);
}

} // namespace harmony::test
