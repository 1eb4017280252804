#include "posix/descriptor.hpp"

#include <cerrno>
#include <cstddef>

#include <unistd.h>

namespace harmony {

open_fd::~open_fd() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace harmony
