#include "guard/system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

namespace harmony::guard {

namespace {

constexpr long nanos = 1'000'000'000;

bool write_file(const char* path, std::string_view text) {
  const open_fd file{::open(path, O_WRONLY | O_CLOEXEC)};
  return file && write_all(file.get(), text);
}

} // namespace

boot_time boot_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return boot_time{static_cast<boot_time::rep>(t.tv_sec) * nanos + t.tv_nsec};
}

open_fd make_timer() {
  open_fd timer{::timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_CLOEXEC | TFD_NONBLOCK)};
  if (!timer)
    timer = open_fd{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  return timer;
}

void set_timer(int timer, boot_time at) noexcept {
  itimerspec when{};
  when.it_value = {at.count() / nanos, at.count() % nanos};
  ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

void say(std::string_view line) noexcept {
  std::array<char, 512> text{};
  constexpr std::string_view name = "harmony-pgguard: ";
  const auto size = std::min(line.size(), text.size() - name.size() - 1);
  auto* end = std::copy(name.begin(), name.end(), text.begin());
  end = std::copy_n(line.begin(), size, end);
  *end++ = '\n';
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0)
    write_all(STDERR_FILENO, {text.data(), static_cast<std::size_t>(end - text.data())});
}

std::string because(std::string_view what, int error) {
  return std::string{what} + ": " + std::strerror(error);
}

std::string read_text(int folder, const char* name) {
  const open_fd file{::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  std::array<char, 4096> text{};
  const auto n = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return n > 0 ? std::string{text.data(), static_cast<std::size_t>(n)} : std::string{};
}

void harden(std::string& lacking) {
  const auto note = [&](bool done, const char* what) {
    if (!done)
      lacking.append(lacking.empty() ? "" : ", ").append(what);
  };
  // Children are ordinary again, by SCHED_RESET_ON_FORK; their OOM score is set when they start.
  sched_param least{};
  least.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
  note(::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) == 0,
       "real-time priority (CAP_SYS_NICE)");
  note(write_file("/proc/self/oom_score_adj", "-1000"), "OOM score -1000 (CAP_SYS_RESOURCE)");
  note(::mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "locked memory (LimitMEMLOCK)");
}

void tell_manager(std::string_view what) noexcept {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un to{};
  if (path == nullptr || std::strlen(path) >= sizeof to.sun_path)
    return;
  const auto size = std::strlen(path);
  to.sun_family = AF_UNIX;
  std::copy_n(path, size, std::begin(to.sun_path));
  if (to.sun_path[0] == '@')
    to.sun_path[0] = '\0';
  const open_fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (socket)
    ::sendto(socket.get(), what.data(), what.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&to),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
}

boot_time watchdog_period() noexcept {
  const char* micros = std::getenv("WATCHDOG_USEC");
  if (micros == nullptr)
    return {};
  std::int64_t count = 0;
  const auto [at, error] = std::from_chars(micros, micros + std::strlen(micros), count);
  return error == std::errc{} ? boot_time{std::chrono::microseconds{count}} : boot_time{};
}

} // namespace harmony::guard
