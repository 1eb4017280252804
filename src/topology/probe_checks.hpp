#pragma once

// The checks behind probe_runner.hpp, and what they share.

#include <poll.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>

#include "topology/probe_runner.hpp"

namespace harmony {

/// A file descriptor that is closed with this object; -1: none.
class probe_fd {
public:
  explicit probe_fd(int fd = -1) noexcept : fd_(fd) {}
  probe_fd(probe_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  probe_fd& operator=(probe_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  probe_fd(const probe_fd&) = delete;
  probe_fd& operator=(const probe_fd&) = delete;
  ~probe_fd();

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_;
};

/// How long a check may take, and what interrupts it.
class check_limits {
public:
  check_limits(const std::stop_token& cancel, std::chrono::steady_clock::time_point end);

  [[nodiscard]] const std::stop_token& cancel() const noexcept { return cancel_; }
  [[nodiscard]] std::chrono::steady_clock::time_point end() const noexcept { return end_; }
  [[nodiscard]] bool canceled() const noexcept { return cancel_.stop_requested(); }
  [[nodiscard]] bool over() const noexcept;

  /// Milliseconds that are left, rounded up, as poll() takes them.
  [[nodiscard]] int left() const noexcept;

  /// Becomes readable when `cancel` is requested: to be polled beside what is waited for.
  [[nodiscard]] ::pollfd canceled_fd() const noexcept { return {wake_.get(), POLLIN, 0}; }

private:
  struct wake {
    int fd;
    void operator()() const noexcept;
  };

  std::stop_token cancel_;
  std::chrono::steady_clock::time_point end_;
  probe_fd wake_;
  std::stop_callback<wake> on_cancel_;
};

outcome<probe_result> check_exec(const exec_probe& p, const check_limits& limits);
outcome<probe_result> check_tcp(const tcp_probe& p, const check_limits& limits);
outcome<probe_result> check_http(const http_probe& p, const check_limits& limits);

/// "Connection refused" for ECONNREFUSED.
std::string error_text(int error);

} // namespace harmony
