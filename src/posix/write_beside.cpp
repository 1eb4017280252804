#include "posix/write_beside.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/fault.hpp"
#include "posix/descriptor.hpp"
#include "posix/small_file.hpp"

namespace harmony {

namespace {

// So long that no name of a person's own is like it.
constexpr std::string_view mark = ".harmony-";
constexpr std::string_view blanks = "XXXXXX"; // mkostemp's

std::filesystem::path folder_of(const std::string& path) {
  const auto folder = std::filesystem::path{path}.parent_path();
  return folder.empty() ? "." : folder;
}

/// Nobody else has it, or this file system has no locks, and then nobody takes it away either.
bool lock(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/// A regular file of this user's with a name in a folder, that nobody is writing.
bool is_left_behind(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid()
         && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void sweep(const std::string& path) {
  const auto name = std::filesystem::path{path}.filename().string();
  std::error_code failed; // then they go another time
  for (std::filesystem::directory_iterator it{folder_of(path), failed}, end; !failed && it != end;
       it.increment(failed)) {
    const auto& each = it->path();
    if (!is_temporary_of(each.filename().string(), name))
      continue;
    const open_fd fd{
      ::open(each.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    if (fd && is_left_behind(fd.get()))
      ::unlink(each.c_str());
  }
}

struct temporary_file {
  open_fd fd;
  std::string path;
};

/// Without a descriptor where it failed, by errno.
temporary_file make_temporary(const std::string& path) {
  for (;;) {
    temporary_file made{{}, path + std::string{mark} + std::string{blanks}};
    made.fd = open_fd{::mkostemp(made.path.data(), O_CLOEXEC)};
    struct stat info {};
    // Before it is locked, somebody who sweeps may have taken it away.
    if (!made.fd
        || (lock(made.fd.get()) && ::fstat(made.fd.get(), &info) == 0 && info.st_nlink != 0))
      return made;
  }
}

int place(const temporary_file& from, const std::string& to, mode_t mode, placing how) {
  constexpr mode_t at_first = 0600;
  if (mode != at_first && ::fchmod(from.fd.get(), mode) != 0)
    return -1;
  return ::renameat2(AT_FDCWD, from.path.c_str(), AT_FDCWD, to.c_str(),
                     how == placing::create ? RENAME_NOREPLACE : 0U);
}

} // namespace

bool is_temporary_of(std::string_view name, std::string_view of) {
  const auto head = of.size() + mark.size();
  const auto tail = name.size() > head ? name.substr(head) : std::string_view{};
  return name.starts_with(of) && name.substr(of.size()).starts_with(mark)
         && tail.size() == blanks.size()
         && std::all_of(tail.begin(), tail.end(), [](unsigned char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            });
}

outcome<void> write_beside(const std::string& path, std::string_view content, mode_t mode,
                           placing how) {
  HARMONY_FAULT("own-file.write.before");
  const auto doing = "write '" + path + "'";
  sweep(path);
  const auto file = make_temporary(path);
  if (!file.fd)
    return failure_of(errno, doing);
  const auto undone = [&](failure why) {
    ::unlink(file.path.c_str());
    return why;
  };
  if (!write_all(file.fd.get(), content) || ::fsync(file.fd.get()) != 0)
    return undone(failure_of(errno, doing));
  HARMONY_FAULT_OR("own-file.write.within", return undone(fault_hit.error()));
  if (place(file, path, mode, how) != 0)
    return undone(failure_of(errno, doing));
  const open_fd folder{::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  ::fsync(folder.get());
  HARMONY_FAULT("own-file.write.after");
  return {};
}

} // namespace harmony
