#include "failover/mailbox.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace harmony::failover {

namespace {

timespec to_timespec(duration d) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {static_cast<time_t>(whole.count()), static_cast<long>((d - whole).count())};
}

} // namespace

instant boottime_now() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return instant{std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}};
}

bell::bell()
  : rung_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
    timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!rung_ || !timer_)
    throw std::system_error(errno, std::generic_category(), "failover: no descriptors are left");
}

void bell::ring() const {
  const std::uint64_t one = 1;
  // It falls short only where it was rung 2^64 times.
  [[maybe_unused]] const auto told = ::write(rung_.get(), &one, sizeof one);
}

void bell::wait_until(instant at) const {
  itimerspec when{};
  when.it_value = to_timespec(std::max(at.time_since_epoch(), duration{1})); // 0 would disarm it
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  std::array<pollfd, 2> wait{{{rung_.get(), POLLIN, 0}, {timer_.get(), POLLIN, 0}}};
  ::poll(wait.data(), wait.size(), -1);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto seen = ::read(rung_.get(), &count, sizeof count);
}

} // namespace harmony::failover
