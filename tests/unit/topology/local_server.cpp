#include "unit/topology/local_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace harmony::test {

namespace {

void raise(int eventfd) {
  const std::uint64_t one = 1;
  if (::write(eventfd, &one, sizeof one) != sizeof one)
    throw std::runtime_error{"eventfd"};
}

} // namespace

int bound_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0)
    throw std::runtime_error{"no free port"};
  port = ntohs(address.sin_port);
  return fd;
}

local_server::local_server(service serve)
  : serve_(std::move(serve)),
    listener_(bound_socket(port_)),
    end_(::eventfd(0, EFD_CLOEXEC)),
    accepted_(::eventfd(0, EFD_CLOEXEC)) {
  if (::listen(listener_, 16) != 0)
    throw std::runtime_error{"listen"};
  thread_ = std::thread{[this] { run(); }};
}

local_server::~local_server() {
  raise(end_);
  thread_.join();
  ::close(listener_);
  ::close(end_);
  ::close(accepted_);
}

void local_server::await_connection() {
  pollfd wait{accepted_, POLLIN, 0};
  if (::poll(&wait, 1, 10000) != 1)
    throw std::runtime_error{"nobody connected"};
}

bool local_server::ended(int ms) const {
  pollfd wait{end_, POLLIN, 0};
  return ::poll(&wait, 1, ms) > 0;
}

void local_server::run() {
  while (true) {
    std::array<pollfd, 2> wait{{{listener_, POLLIN, 0}, {end_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (wait[1].revents != 0)
      return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      continue;
    raise(accepted_);
    serve_(fd, [this](int ms) { return ended(ms); });
    ::close(fd);
  }
}

std::string read_request(int fd) {
  std::string text;
  std::array<char, 512> buffer{};
  while (text.find("\r\n\r\n") == std::string::npos) {
    const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0)
      break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

bool send_text(int fd, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

} // namespace harmony::test
