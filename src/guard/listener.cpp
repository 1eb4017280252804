#include "guard/listener.hpp"

#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/socket_path.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

namespace {

open_fd packet_socket() {
  return open_fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

void send_to(int fd, const report& r) {
  const auto text = write_report(r);
  ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

outcome<listener> listener::open(const std::string& path) {
  const auto at = address_of(path);
  if (!at)
    return {ec::invalid_spec, "the socket's path '" + path + "' is longer than 107 bytes"};
  if (const auto probe = packet_socket(); ::connect(probe.get(), generic(*at), sizeof *at) == 0)
    return {ec::name_conflict,
            "another guard listens at '" + path + "': stop it, or give this one another --socket"};
  ::unlink(path.c_str());
  auto socket = packet_socket();
  const auto mask = ::umask(0177);
  const bool bound = ::bind(socket.get(), generic(*at), sizeof *at) == 0;
  const int error = errno;
  ::umask(mask);
  if (!bound || ::listen(socket.get(), 8) != 0)
    return {ec::io_error, because("cannot listen at '" + path + "'", bound ? errno : error)};
  return listener{std::move(socket)};
}

bool listener::accept(report now) {
  open_fd come{::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  ucred who{};
  socklen_t size = sizeof who;
  if (!come || ::getsockopt(come.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return false;
  char next = 0;
  if (agent_ && ::recv(agent(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
    drop();
  now.what = report::kind::refused;
  if (who.uid != 0 && who.uid != ::geteuid()) {
    now.why = refusal::not_allowed;
    now.text = text_of(now.why);
  } else if (agent_) {
    now.why = refusal::busy;
    now.text = std::string{text_of(now.why)} + " (pid " + std::to_string(agent_pid_) + ")";
  } else {
    now.what = report::kind::hello;
    now.text.clear();
  }
  send_to(come.get(), now);
  if (now.what != report::kind::hello)
    return false;
  agent_ = std::move(come);
  agent_pid_ = who.pid;
  return true;
}

std::optional<std::string> listener::receive() {
  std::array<char, longest_message + 1> text{};
  const auto n = ::recv(agent(), text.data(), text.size(), MSG_DONTWAIT);
  if (n > 0)
    return std::string{text.data(), static_cast<std::size_t>(n)};
  if (n == 0 || (errno != EAGAIN && errno != EINTR))
    drop();
  return std::nullopt;
}

void listener::drop() {
  agent_ = open_fd{};
  gone_ = true;
}

bool listener::gone() {
  return std::exchange(gone_, false);
}

void listener::send(const report& r) {
  if (agent_)
    send_to(agent(), r);
}

} // namespace harmony::guard
