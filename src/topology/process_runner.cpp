#include "topology/process_runner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault/fault.hpp"

namespace harmony {

namespace {

constexpr int reap_patience = 1000; ///< milliseconds that a killed process may take to end
constexpr int first_closed = 3;     ///< a program gets none of the agent's files
constexpr std::size_t read_size = 4096;
constexpr int pipe_reads = 16; ///< as many as a full pipe holds

/// What posix_spawn needs, given back with this object.
class spawn_setup {
public:
  spawn_setup() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&files);
  }
  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;
  ~spawn_setup() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  /// A group of its own, default signals, no input, output to `out`.
  void prepare(int out) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
                                              | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files, first_closed);
  }

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& each : texts)
    result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

/// By number: glibc 2.36 declares the wrapper without C linkage.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// A started program. Reaps it with this object; kills it, and its group, unless told otherwise.
class child {
public:
  child(pid_t pid, open_fd out, const process_command& command)
    : pid_(pid), watch_(open_pidfd(pid)), out_(std::move(out)), command_(command) {}
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { end(true); }

  /// Reads output until the program ended. False when the time is over, or it was canceled.
  bool wait(const check_limits& limits) {
    while (!limits.canceled() && !limits.over())
      if (step(limits.canceled_fd(), limits.left()))
        return true;
    return false;
  }

  /// Asks the program to end in order and gives it its grace.
  void ask() {
    if (command_.grace.count() <= 0)
      return;
    // Not reaped yet, so the number cannot mean another process.
    ::kill(pid_, command_.stop_signal);
    const check_limits grace{{}, std::chrono::steady_clock::now() + command_.grace};
    (void)wait(grace);
  }

  /// Reaps the program and, with `kill_group`, kills what is left of its group. Gives the wait
  /// status; -1: it cannot be reaped.
  int end(bool kill_group) {
    if (pid_ <= 0)
      return status_;
    if (kill_group)
      // Its leader is not reaped yet, so the group's number cannot mean another one.
      ::kill(-pid_, SIGKILL);
    pollfd ended{watch_.get(), POLLIN, 0};
    while (::poll(&ended, 1, reap_patience) < 0 && errno == EINTR) {
    }
    // One that hangs in the kernel is left to be a zombie rather than to hold this thread.
    if (::waitpid(pid_, &status_, WNOHANG) != pid_)
      status_ = -1;
    pid_ = -1;
    return status_;
  }

  std::string take_output() {
    if (output_.size() > command_.keep)
      output_.erase(0, output_.size() - command_.keep);
    return std::move(output_);
  }
  [[nodiscard]] bool watched() const { return static_cast<bool>(watch_); }

private:
  bool step(const pollfd& canceled, int milliseconds) {
    std::array<pollfd, 3> wait{{{watch_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, canceled}};
    ::poll(wait.data(), wait.size(), milliseconds);
    if (wait[1].revents != 0)
      read_output();
    if (wait[0].revents == 0)
      return false;
    // What it wrote just before its end; somebody that it left behind may still hold the pipe.
    for (int left = pipe_reads; left > 0 && out_ && read_output(); --left) {
    }
    return true;
  }

  /// Takes in what is there, so that the program does not block on a full pipe. False: nothing is.
  bool read_output() {
    std::array<char, read_size> buffer{};
    const auto got = ::read(out_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      if (got == 0 || errno != EAGAIN)
        out_ = open_fd{}; // closed by all: poll() skips it from now on
      return false;
    }
    const std::string_view piece{buffer.data(), static_cast<std::size_t>(got)};
    if (command_.kept == process_command::part::beginning) {
      output_.append(piece.substr(0, command_.keep - std::min(command_.keep, output_.size())));
    } else {
      output_.append(piece);
      if (output_.size() > 2 * command_.keep + read_size) // not at every piece
        output_.erase(0, output_.size() - command_.keep);
    }
    return true;
  }

  pid_t pid_;
  open_fd watch_;
  open_fd out_;
  const process_command& command_;
  std::string output_;
  int status_ = -1;
};

failure cannot_start(int error) {
  return {error == EACCES || error == EPERM ? ec::permission_denied : ec::io_error,
          error_text(error)};
}

process_result judge(int status, std::string output) {
  using ending = process_result::ending;
  if (status == -1)
    return {ending::lost, 0, std::move(output)};
  if (WIFEXITED(status))
    return {ending::exited, WEXITSTATUS(status), std::move(output)};
  return {ending::signaled, WTERMSIG(status), std::move(output)};
}

} // namespace

outcome<process_result> run_process(const process_command& command, const check_limits& limits) {
  if (command.arguments.empty())
    return {ec::invalid_spec, "the command is empty; name a program"};
  HARMONY_FAULT("process.run.before");
  auto arguments = command.arguments;
  auto variables = command.environment;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return cannot_start(errno);
  open_fd out{ends[0]};
  open_fd in{ends[1]};
  // A program expects a blocking output; the flag belongs to this end of the pipe alone.
  ::fcntl(in.get(), F_SETFL, 0);

  spawn_setup setup;
  setup.prepare(in.get());
  pid_t pid = -1;
  const auto error =
    ::posix_spawnp(&pid, arguments.front().c_str(), &setup.files, &setup.attributes,
                   pointers(arguments).data(), pointers(variables).data());
  if (error != 0)
    return cannot_start(error);
  in = open_fd{};

  child program{pid, std::move(out), command};
  if (!program.watched())
    return cannot_start(errno);
  HARMONY_FAULT("process.run.within");
  if (program.wait(limits)) {
    const auto status = program.end(!command.keep_group);
    HARMONY_FAULT("process.run.after");
    return judge(status, program.take_output());
  }
  const auto why =
    limits.canceled() ? process_result::ending::canceled : process_result::ending::timed_out;
  program.ask();
  program.end(true);
  return process_result{why, 0, program.take_output()};
}

} // namespace harmony
