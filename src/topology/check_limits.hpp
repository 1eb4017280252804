#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include <poll.h>

#include "topology/files.hpp"

namespace harmony {

/// How long something that waits may take, and what interrupts it.
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
  open_fd wake_;
  std::stop_callback<wake> on_cancel_;
};

/// "Connection refused" for ECONNREFUSED.
std::string error_text(int error);

} // namespace harmony
