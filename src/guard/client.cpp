#include "guard/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard/socket_path.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

namespace {

constexpr boot_time::rep nanos = 1'000'000'000;

/// Whether nobody is at the other end; a full queue, say, is no proof of that.
bool nobody_there(int error) {
  return error == ENOENT || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE;
}

failure gone() {
  return {ec::runtime_unavailable, "the guard closed the connection: is it running?"};
}

bool trustworthy(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0
         && (who.uid == 0 || who.uid == ::geteuid());
}

/// True once it can be read.
bool readable(int fd, boot_time until) {
  pollfd ready{fd, POLLIN, 0};
  for (;;) {
    const auto rest = std::max(until - boot_now(), boot_time{0}).count();
    const timespec patience{static_cast<time_t>(rest / nanos), static_cast<long>(rest % nanos)};
    const int n = ::ppoll(&ready, 1, &patience, nullptr);
    if (n > 0)
      return true;
    if (n == 0 || errno != EINTR)
      return false;
  }
}

} // namespace

outcome<client> client::connect(const std::string& path, boot_time until) {
  const auto at = address_of(path);
  if (!at)
    return {ec::invalid_spec, "the socket's path '" + path + "' is longer than 107 bytes"};
  open_fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (::connect(socket.get(), generic(*at), sizeof *at) != 0) {
    const int error = errno;
    return {error == EACCES       ? ec::permission_denied
            : nobody_there(error) ? ec::runtime_unavailable
                                  : ec::timed_out,
            because("no guard answers at '" + path + "'", error)};
  }
  if (!trustworthy(socket.get()))
    return {ec::permission_denied, "who listens at '" + path + "' is neither root nor this user"};
  client c{std::move(socket)};
  const auto heard = c.receive(until);
  if (!heard)
    return heard.error();
  if (!*heard)
    return {ec::timed_out, "the guard at '" + path + "' does not answer: is it stopped?"};
  c.hello_ = **heard;
  if (c.hello_.what != report::kind::hello)
    return {c.hello_.why == refusal::busy ? ec::name_conflict : ec::permission_denied,
            "the guard at '" + path + "' refuses: " + c.hello_.text};
  return c;
}

outcome<report> client::call(const request& r, boot_time until) {
  const auto text = write_request(r);
  if (::send(fd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (nobody_there(errno))
      return gone();
    return {ec::timed_out, "the guard does not take '" + text + "': is it stopped?"};
  }
  for (;;) {
    auto heard = receive(until);
    if (!heard)
      return heard.error();
    if (!*heard)
      return {ec::timed_out, "the guard did not answer '" + text + "' in time"};
    if ((*heard)->what != report::kind::changed)
      return std::move(**heard);
    changes_.push_back(std::move(**heard));
  }
}

outcome<std::optional<report>> client::next(boot_time until) {
  if (changes_.empty())
    return receive(until);
  std::optional<report> first = std::move(changes_.front());
  changes_.pop_front();
  return first;
}

outcome<std::optional<report>> client::receive(boot_time until) {
  if (!readable(fd(), until))
    return std::optional<report>{};
  std::array<char, longest_message> text{};
  const auto n = ::recv(fd(), text.data(), text.size(), 0);
  if (n < 0 && !nobody_there(errno))
    return {ec::timed_out, because("the guard cannot be heard", errno)};
  if (n <= 0)
    return gone();
  auto r = read_report({text.data(), static_cast<std::size_t>(n)});
  if (!r)
    return {ec::internal, "the guard said what is no report: is it of another version?"};
  return std::optional<report>{std::move(r)};
}

} // namespace harmony::guard
