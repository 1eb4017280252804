#include "apps/agent/config_text.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace harmony {

namespace {

/// Who else may write a file of that kind; empty: nobody.
std::string exposure(const struct stat& info) {
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return "belongs to another user (uid " + std::to_string(info.st_uid) + ")";
  if ((info.st_mode & S_IWOTH) != 0)
    return "can be written by everybody";
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != ::getegid())
    return "can be written by another group (gid " + std::to_string(info.st_gid) + ")";
  return {};
}

outcome<std::string> read_all(int fd, const std::string& path) {
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0)
    return {ec::io_error, path + ": " + std::generic_category().message(errno)};
  if (!S_ISREG(info.st_mode))
    return {ec::io_error, path + ": is no file"};
  if (const auto why = exposure(info); !why.empty())
    return {ec::permission_denied,
            path + ": " + why + ", who could command this device by it: chown it to "
              + (::geteuid() == 0 ? "root" : "yourself or root") + ", chmod go-w"};
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0)
      return {ec::io_error, path + ": " + std::generic_category().message(errno)};
    if (n == 0)
      return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

} // namespace

outcome<std::string> read_config_text(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  auto text = read_all(fd, path);
  if (fd >= 0)
    ::close(fd);
  return text;
}

} // namespace harmony
