#pragma once

#include <string_view>
#include <utility>

namespace harmony {

/// Owns a file descriptor; -1 is none.
class open_fd {
public:
  open_fd() = default;
  explicit open_fd(int fd) noexcept : fd_(fd) {}
  open_fd(open_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  open_fd& operator=(open_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  open_fd(const open_fd&) = delete;
  open_fd& operator=(const open_fd&) = delete;
  ~open_fd();

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// Writes all of `bytes`; false, with errno, where that failed.
bool write_all(int fd, std::string_view bytes) noexcept;

} // namespace harmony
