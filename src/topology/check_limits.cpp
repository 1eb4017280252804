#include "topology/check_limits.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace harmony {

using std::chrono::steady_clock;

check_limits::check_limits(const std::stop_token& cancel, steady_clock::time_point end)
  : cancel_(cancel),
    end_(end),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
    on_cancel_(cancel, wake{wake_.get()}) {}

void check_limits::wake::operator()() const noexcept {
  const std::uint64_t one = 1;
  // It can only fail where there is no descriptor; then the end of the time wakes the check.
  [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

bool check_limits::over() const noexcept {
  return steady_clock::now() >= end_;
}

int check_limits::left() const noexcept {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(end_ - steady_clock::now()).count();
  return static_cast<int>(std::clamp<decltype(ms)>(ms, 0, 86400000));
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

} // namespace harmony
