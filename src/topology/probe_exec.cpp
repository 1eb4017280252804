#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <vector>

#include "topology/probe_checks.hpp"

namespace harmony {

namespace {

constexpr std::size_t shown_output = 200;    ///< bytes of output in a message
constexpr int reap_patience = 1000;          ///< milliseconds that a killed process may take to end
constexpr int first_inherited_fd_closed = 3; ///< a probe gets none of the agent's files

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
    ::posix_spawn_file_actions_addclosefrom_np(&files, first_inherited_fd_closed);
  }

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t files{};
};

/// The agent's environment may hold credentials; a check gets what programs commonly need.
std::vector<std::string> environment() {
  std::vector<std::string> result;
  for (const auto* name : {"PATH", "HOME", "LANG", "TZ"})
    if (const auto* value = std::getenv(name))
      result.push_back(std::string{name} + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& each : texts)
    result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

/// By number: glibc 2.36 declares the wrapper without C linkage.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// A started command. Kills and reaps it, and its group, with this object.
class child {
public:
  child(pid_t pid, probe_fd out) : pid_(pid), watch_(open_pidfd(pid)), out_(std::move(out)) {}
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { end(); }

  /// Reads output until the command ended. False when the time is over, or it was canceled.
  bool wait(const check_limits& limits) {
    while (!limits.canceled() && !limits.over()) {
      std::array<pollfd, 3> wait{
        {{watch_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, limits.canceled_fd()}};
      ::poll(wait.data(), wait.size(), limits.left());
      if (wait[1].revents != 0)
        read_output();
      if (wait[0].revents != 0) {
        read_output();
        return true;
      }
    }
    return false;
  }

  /// Kills what is left of the group and returns the wait status of the command; -1: it cannot be
  /// reaped.
  int end() {
    if (pid_ <= 0)
      return status_;
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

  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] bool watched() const { return static_cast<bool>(watch_); }

private:
  /// Keeps the beginning; takes in the rest, so that the command does not block on a full pipe.
  void read_output() {
    std::array<char, 4096> buffer{};
    const auto got = ::read(out_.get(), buffer.data(), buffer.size());
    if (got > 0)
      output_.append(buffer.data(),
                     std::min(static_cast<std::size_t>(got), shown_output - output_.size()));
    else if (got == 0 || errno != EAGAIN)
      out_ = probe_fd{}; // closed by all: poll() skips it from now on
  }

  pid_t pid_;
  probe_fd watch_;
  probe_fd out_;
  std::string output_;
  int status_ = -1;
};

/// What a status shows of the output: its first line, printable.
std::string first_line(const std::string& output) {
  std::string line;
  for (const char c : output.substr(0, output.find('\n')))
    line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return line.empty() ? line : ": " + line;
}

probe_result judge(int status, const std::string& command, const std::string& output) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return {true, {}};
  if (WIFEXITED(status))
    return {false, "'" + command + "' exited with status " + std::to_string(WEXITSTATUS(status))
                     + first_line(output)};
  return {false, "'" + command + "' was killed by signal " + std::to_string(WTERMSIG(status))
                   + first_line(output)};
}

failure cannot_start(const std::string& command, int error) {
  return {error == EACCES || error == EPERM ? ec::permission_denied : ec::io_error,
          "exec probe: '" + command + "' cannot be started: " + error_text(error)};
}

} // namespace

outcome<probe_result> check_exec(const exec_probe& p, const check_limits& limits) {
  if (p.command.empty())
    return {ec::invalid_spec, "exec probe: the command is empty; name a program"};
  auto arguments = p.command;
  auto variables = environment();
  const auto& name = p.command.front();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return cannot_start(name, errno);
  probe_fd out{ends[0]};
  probe_fd in{ends[1]};
  // A command expects a blocking output; the flag belongs to this end of the pipe alone.
  ::fcntl(in.get(), F_SETFL, 0);

  spawn_setup setup;
  setup.prepare(in.get());
  pid_t pid = -1;
  const auto error = ::posix_spawnp(&pid, name.c_str(), &setup.files, &setup.attributes,
                                    pointers(arguments).data(), pointers(variables).data());
  if (error != 0)
    return cannot_start(name, error);
  in = probe_fd{};

  child command{pid, std::move(out)};
  if (!command.watched())
    return cannot_start(name, errno);
  const bool ended = command.wait(limits);
  const auto status = command.end();
  if (!ended && limits.canceled())
    return {ec::canceled, "exec probe '" + name + "' was interrupted"};
  if (!ended)
    return probe_result{false, "'" + name + "' did not end in time" + first_line(command.output())};
  if (status == -1)
    return {ec::io_error, "exec probe: '" + name + "' cannot be waited for"};
  return judge(status, name, command.output());
}

} // namespace harmony
