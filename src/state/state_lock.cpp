#include "state/state_lock.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "topology/files_error.hpp"

namespace harmony {

namespace {

std::string pid_in(int fd) {
  std::array<char, 32> text{};
  const auto n = ::pread(fd, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < n && text.at(static_cast<std::size_t>(i)) != '\n'; ++i)
    pid += text.at(static_cast<std::size_t>(i));
  return pid.empty() ? "unknown" : pid;
}

} // namespace

outcome<state_lock> state_lock::take(const std::string& folder) {
  const auto path = folder + "/lock";
  // O_CLOEXEC: a child that outlives the agent must not keep the lock.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return from_errno(errno, "open", path);
  state_lock mine{fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return from_errno(errno, "lock", path);
    return {ec::name_conflict, "another agent (pid " + pid_in(fd) + ") uses the state folder '"
                                 + folder + "': stop it, or give this one another --state-dir"};
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  // Only for a person who meets a held lock, so that a full disk is no reason to give up here.
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, pid.data(), pid.size(), 0) < 0)
    return mine;
  return mine;
}

state_lock::state_lock(state_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

state_lock& state_lock::operator=(state_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

state_lock::~state_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

} // namespace harmony
