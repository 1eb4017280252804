#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "topology/probe_checks.hpp"

namespace harmony {

namespace {

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// Waits for a connection that was begun. 0 or its errno; ETIMEDOUT at the end of the time.
int finish_connecting(int fd, const check_limits& limits) {
  while (true) {
    std::array<pollfd, 2> wait{{{fd, POLLOUT, 0}, limits.canceled_fd()}};
    const auto ready = ::poll(wait.data(), wait.size(), limits.left());
    if (limits.canceled())
      return ECANCELED;
    if (ready < 0 && errno != EINTR)
      return errno;
    if (ready > 0 && wait[0].revents != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }
    if (limits.over())
      return ETIMEDOUT;
  }
}

int connect_to(const addrinfo& to, const check_limits& limits) {
  const open_fd fd{
    ::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol)};
  if (!fd)
    return errno;
  if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) == 0)
    return 0;
  return errno == EINPROGRESS ? finish_connecting(fd.get(), limits) : errno;
}

/// Whether the errno says that this process lacks something, which is not the resource's fault.
bool is_own_lack(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

} // namespace

outcome<probe_result> check_tcp(const tcp_probe& p, const check_limits& limits) {
  const auto where = "'" + p.host + ":" + std::to_string(p.port) + "'";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto looked_up =
    ::getaddrinfo(p.host.c_str(), std::to_string(p.port).c_str(), &hints, &found);
  if (looked_up == EAI_MEMORY || looked_up == EAI_SYSTEM)
    return {ec::io_error, "tcp probe: '" + p.host + "' cannot be looked up: "
                            + (looked_up == EAI_SYSTEM ? error_text(errno) : "no memory")};
  if (looked_up != 0)
    return probe_result{false, "'" + p.host + "' has no address: " + ::gai_strerror(looked_up)};

  const address_list addresses{found, &::freeaddrinfo};
  int error = ECONNREFUSED;
  for (const auto* each = addresses.get(); each != nullptr; each = each->ai_next) {
    error = connect_to(*each, limits);
    if (error == 0)
      return probe_result{true, {}};
    if (limits.canceled())
      return {ec::canceled, "tcp probe of " + where + " was interrupted"};
    if (is_own_lack(error))
      return {ec::io_error, "tcp probe: no socket for " + where + ": " + error_text(error)};
    if (limits.over())
      return probe_result{false, where + " did not answer in time"};
  }
  return probe_result{false, where + ": " + error_text(error)};
}

} // namespace harmony
