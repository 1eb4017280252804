#include "topology/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "topology/files.hpp"
#include "topology/files_error.hpp"

namespace harmony {

namespace {

open_fd open_plain(const std::filesystem::path& path, int flags) {
  return open_fd{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
}

/// Size of a regular file; 0 for anything else.
off_t size_of(const open_fd& file) {
  struct stat info {};
  return file && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : 0;
}

} // namespace

std::string read_tail(const std::filesystem::path& path, std::size_t most) {
  const auto file = open_plain(path, O_RDONLY);
  const auto size = size_of(file);
  const auto wanted = std::min(size, static_cast<off_t>(most));
  std::string text(static_cast<std::size_t>(wanted), '\0');
  const auto n = ::pread(file.get(), text.data(), text.size(), size - wanted);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

void keep_tail(const std::filesystem::path& path, std::size_t keep) {
  constexpr off_t block = 4096;
  const auto file = open_plain(path, O_WRONLY);
  const auto end = (size_of(file) - static_cast<off_t>(keep)) / block * block;
  if (end > 0) // a file system that cannot do it keeps the whole file
    static_cast<void>(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end));
}

outcome<void> make_private_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return from_errno(errno, "make folder", path.string());
  return {};
}

} // namespace harmony
