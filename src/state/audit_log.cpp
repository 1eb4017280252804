#include "state/audit_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "fault/fault.hpp"
#include "topology/files_error.hpp"

namespace harmony {

namespace {

/// Opens the log and gives its size; -1 and errno when it cannot.
int open_log(const std::string& path, off_t& size) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat info {};
  if (fd >= 0 && ::fstat(fd, &info) == 0)
    size = info.st_size;
  return fd;
}

/// Writes `line` at the end of `fd`, durably; 0 or an errno. What was written of a line that did
/// not fit is taken back, so that a line is there as a whole or not.
int write_line(int fd, off_t size, const std::string& line) {
  const auto n = ::write(fd, line.data(), line.size());
  const int error = n < 0 ? errno : n == static_cast<ssize_t>(line.size()) ? 0 : ENOSPC;
  if (error != 0) {
    [[maybe_unused]] const int taken_back = ::ftruncate(fd, size);
    return error;
  }
  return ::fdatasync(fd) == 0 ? 0 : errno;
}

} // namespace

std::string write_audit_line(const audit_event& e, timestamp when) {
  nlohmann::ordered_json j{{"time", format_time(when)},
                           {"event", e.event},
                           {"resource", e.resource.str()},
                           {"revision", e.revision}};
  if (!e.origin.empty())
    j["origin"] = e.origin;
  if (!e.command.empty())
    j["command"] = e.command;
  if (!e.result.empty())
    j["result"] = e.result;
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

audit_log::audit_log(std::string path, std::function<timestamp()> wall_clock,
                     std::function<void(const std::string& line)> echo)
  : path_(std::move(path)), wall_clock_(std::move(wall_clock)), echo_(std::move(echo)) {}

outcome<void> audit_log::append(const audit_event& e) {
  HARMONY_FAULT("audit.append.before");
  const std::lock_guard lock{mutex_};
  const auto line = write_audit_line(e, wall_clock_());
  off_t size = 0;
  int fd = open_log(path_, size);
  if (fd >= 0 && size >= most_bytes) {
    ::close(fd);
    // Where it cannot be moved it goes on growing: a lost line would be worse.
    [[maybe_unused]] const int moved = std::rename(path_.c_str(), (path_ + ".1").c_str());
    fd = open_log(path_, size);
  }
  if (fd < 0)
    return from_errno(errno, "open", path_);
  const int error = write_line(fd, size, line + "\n");
  ::close(fd);
  if (error != 0)
    return from_errno(error, "write", path_);
  echo_(line);
  HARMONY_FAULT("audit.append.after");
  return {};
}

} // namespace harmony
