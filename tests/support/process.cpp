#include "support/process.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace harmony::test {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& t : texts)
    all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}

int open_pid(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

} // namespace

process::process(const std::vector<std::string>& command, const std::string& input,
                 const std::map<std::string, std::string>& variables) {
  write_file(folder_ / "in", input);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  constexpr int writing = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&files, 0, (folder_ / "in").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, (folder_ / "out").c_str(), writing, 0600);
  posix_spawn_file_actions_addopen(&files, 2, (folder_ / "err").c_str(), writing, 0600);
  auto words = command;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables)
    environment.push_back(name + "=" + value);
  const int error = ::posix_spawn(&pid_, command.front().c_str(), &files, nullptr,
                                  pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0)
    throw std::runtime_error("cannot start " + command.front() + ": " + std::strerror(error));
}

process::~process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void process::signal(int number) const {
  ::kill(pid_, number);
}

bool process::ended(std::chrono::milliseconds patience) const {
  const int watch = open_pid(pid_);
  pollfd ready{watch, POLLIN, 0};
  const bool over = ::poll(&ready, 1, static_cast<int>(patience.count())) > 0;
  ::close(watch);
  return over;
}

run_result process::wait() {
  if (!ended(std::chrono::seconds{30}))
    ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          read_file(folder_ / "out"), read_file(folder_ / "err")};
}

bool process::wrote(const char* stream, const std::string& text) const {
  const auto file = folder_ / stream;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  ::inotify_add_watch(watch, folder_.path().c_str(), IN_CREATE | IN_MODIFY);
  bool found = false;
  while (!found && std::chrono::steady_clock::now() < end) {
    found = std::filesystem::exists(file) && read_file(file).find(text) != std::string::npos;
    if (found)
      break;
    pollfd changed{watch, POLLIN, 0};
    ::poll(&changed, 1, 1'000);
    char drop[4096];
    while (::read(watch, drop, sizeof drop) > 0) {
    }
  }
  ::close(watch);
  return found;
}

} // namespace harmony::test
