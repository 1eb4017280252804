#include "identity/secret_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "posix/descriptor.hpp"

namespace harmony {

namespace {

constexpr std::size_t most_bytes = 1 << 20;

failure from_errno(int error, const std::string& doing) {
  const auto message = "cannot " + doing + ": " + std::generic_category().message(error);
  switch (error) {
  case ENOENT: return {ec::not_found, message};
  case EACCES:
  case EPERM: return {ec::permission_denied, message};
  case EEXIST: return {ec::name_conflict, message};
  case ENOSPC:
  case EDQUOT: return {ec::disk_full, message};
  case EROFS: return {ec::read_only, message};
  default: return {ec::io_error, message};
  }
}

bool write_durably(int fd, const std::string& content) {
  return write_all(fd, content) && ::fsync(fd) == 0;
}

// A temporary file beside it of mode 0600, which `place` gives its name once it is whole.
outcome<void> write_beside(const std::string& path, const std::string& content,
                           int (*place)(int fd, const char* from, const char* to)) {
  const auto doing = "write '" + path + "'";
  auto temporary = path + ".XXXXXX";
  const open_fd file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!file)
    return from_errno(errno, doing);
  if (!write_durably(file.get(), content)
      || place(file.get(), temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return from_errno(error, doing);
  }
  const auto folder = std::filesystem::path{path}.parent_path();
  const open_fd opened{::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC)};
  ::fsync(opened.get());
  return {};
}

} // namespace

outcome<std::string> read_text_file(const std::string& path) {
  const auto doing = "read '" + path + "'";
  const open_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file)
    return from_errno(errno, doing);
  std::string content;
  std::array<char, 4096> part{};
  for (;;) {
    const auto n = ::read(file.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return from_errno(errno, doing);
    if (n == 0)
      return content;
    content.append(part.data(), static_cast<std::size_t>(n));
    if (content.size() > most_bytes)
      return failure{ec::io_error, "cannot " + doing + ": it has more than 1 MiB"};
  }
}

outcome<void> check_private(const std::string& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0)
    return from_errno(errno, "read '" + path + "'");
  constexpr unsigned others = 077;
  if ((seen.st_mode & others) == 0)
    return {};
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", seen.st_mode & 07777U);
  return {ec::permission_denied, "'" + path
                                   + "' is a secret, and others than its owner reach it "
                                     "(mode "
                                   + mode.data() + "); chmod 0600 " + path};
}

outcome<void> create_secret_file(const std::string& path, const std::string& content) {
  const auto folder = std::filesystem::path{path}.parent_path();
  std::error_code failed;
  if (!folder.empty() && std::filesystem::create_directories(folder, failed))
    ::chmod(folder.c_str(), 0700);
  if (failed)
    return from_errno(failed.value(), "make the folder of '" + path + "'");
  return write_beside(path, content, [](int, const char* from, const char* to) {
    return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  });
}

outcome<void> replace_file(const std::string& path, const std::string& content) {
  return write_beside(path, content, [](int fd, const char* from, const char* to) {
    constexpr mode_t for_all = 0644;
    return ::fchmod(fd, for_all) != 0 ? -1 : ::rename(from, to);
  });
}

outcome<void> append_secret_line(const std::string& path, const std::string& line) {
  const open_fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!file || !write_durably(file.get(), line + "\n"))
    return from_errno(errno, "write '" + path + "'");
  return {};
}

} // namespace harmony
