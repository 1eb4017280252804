#include "state/state_folder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "topology/files_error.hpp"

namespace harmony {

outcome<void> make_folder(const std::string& folder, bool& open_to_others) {
  for (std::size_t slash = folder.find('/', 1); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    const auto parent = folder.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST)
      return from_errno(errno, "create folder", parent);
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return from_errno(errno, "create folder", folder);
  struct ::stat s {};
  if (::stat(folder.c_str(), &s) != 0)
    return from_errno(errno, "look at", folder);
  if (!S_ISDIR(s.st_mode))
    return from_errno(ENOTDIR, "use as state folder", folder);
  open_to_others = (s.st_mode & 077) != 0;
  return {};
}

outcome<void> make_private(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return from_errno(errno, "open", file);
  const int done = ::fchmod(fd, 0600);
  const int error = errno;
  ::close(fd);
  return done == 0 ? outcome<void>{} : from_errno(error, "set the mode of", file);
}

outcome<std::string> set_aside(const std::string& file) {
  for (int n = 1;; ++n) {
    const auto aside = file + ".corrupt-" + std::to_string(n);
    struct ::stat s {};
    if (::lstat(aside.c_str(), &s) == 0)
      continue;
    if (::rename(file.c_str(), aside.c_str()) != 0)
      return from_errno(errno, "set aside", file);
    for (const char* suffix : {"-wal", "-shm"})
      if (::rename((file + suffix).c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT)
        return from_errno(errno, "set aside", file + suffix);
    return aside;
  }
}

} // namespace harmony
