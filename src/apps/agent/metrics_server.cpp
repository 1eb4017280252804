#include "apps/agent/metrics_server.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "topology/check_limits.hpp"

namespace harmony {

namespace {

constexpr int patience = 2000; ///< milliseconds, with one client
constexpr std::size_t most_request = 8192;

/// An address as the kernel takes it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage); // NOLINT(*-reinterpret-cast): sockets' way
  }
};

template <class Address>
socket_address to_socket(const Address& from) {
  static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
  socket_address to;
  std::memcpy(&to.storage, &from, sizeof from);
  to.size = sizeof from;
  return to;
}

socket_address socket_of(const metrics_address& at) {
  if (at.host == "::1") {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_addr = in6addr_loopback;
    a.sin6_port = htons(at.port);
    return to_socket(a);
  }
  if (!at.host.empty()) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(at.port);
    return to_socket(a);
  }
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  at.path.copy(a.sun_path, sizeof a.sun_path - 1); // its length was checked
  return to_socket(a);
}

failure cannot_serve(const metrics_address& at, int error) {
  const auto where = at.host.empty() ? at.path : at.host + ":" + std::to_string(at.port);
  const auto code = error == EADDRINUSE ? ec::port_in_use
                    : error == EACCES   ? ec::permission_denied
                                        : ec::io_error;
  return {code, "metrics cannot be served at '" + where + "': " + error_text(error)};
}

/// The client's first line, once its header is whole; empty where it does not come.
std::string read_request(int client) {
  std::string request;
  std::array<char, 1024> buffer{};
  while (request.find("\r\n\r\n") == std::string::npos && request.size() < most_request) {
    pollfd readable{client, POLLIN, 0};
    if (::poll(&readable, 1, patience) <= 0)
      return {};
    const auto n = ::recv(client, buffer.data(), buffer.size(), 0);
    if (n <= 0)
      return {};
    request.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return request.substr(0, request.find('\r'));
}

void send_all(int client, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return; // the client left, or takes too long
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string response(std::string_view status, const std::string& body) {
  return "HTTP/1.1 " + std::string{status}
         + "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n"
           "Content-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

outcome<std::unique_ptr<metrics_server>> metrics_server::start(const metrics_address& at,
                                                               std::function<std::string()> text) {
  const auto address = socket_of(at);
  open_fd listener{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  open_fd wake{::eventfd(0, EFD_CLOEXEC)};
  if (!listener || !wake)
    return cannot_serve(at, errno);
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct stat info {};
  // What a killed agent left behind; anything else that lies there is an error.
  if (!at.path.empty() && ::lstat(at.path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode))
    ::unlink(at.path.c_str());
  if (::bind(listener.get(), address.get(), address.size) != 0
      || (!at.path.empty() && ::chmod(at.path.c_str(), 0660) != 0)
      || ::listen(listener.get(), 8) != 0)
    return cannot_serve(at, errno);
  return std::unique_ptr<metrics_server>{
    new metrics_server{std::move(listener), std::move(wake), at.path, std::move(text)}};
}

metrics_server::metrics_server(open_fd listener, open_fd wake, std::string path,
                               std::function<std::string()> text)
  : listener_(std::move(listener)),
    wake_(std::move(wake)),
    path_(std::move(path)),
    text_(std::move(text)),
    thread_([this] { serve(); }) {}

metrics_server::~metrics_server() {
  const std::uint64_t one = 1;
  // To an eventfd it cannot fall short.
  [[maybe_unused]] const auto told = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
  if (!path_.empty())
    ::unlink(path_.c_str());
}

std::uint16_t metrics_server::port() const {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  // NOLINTNEXTLINE(*-reinterpret-cast): sockets' way
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&a), &size);
  return ntohs(a.sin_port);
}

void metrics_server::serve() {
  for (;;) {
    std::array<pollfd, 2> wait{{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR)
      return;
    if (wait[1].revents != 0)
      return;
    if (wait[0].revents == 0)
      continue;
    const open_fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (client)
      answer(client.get());
  }
}

void metrics_server::answer(int client) const {
  const timeval limit{patience / 1000, 0};
  ::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const auto request = read_request(client);
  if (request.rfind("GET /metrics ", 0) == 0)
    send_all(client, response("200 OK", text_()));
  else if (!request.empty())
    send_all(client, response("404 Not Found", "GET /metrics\n"));
}

} // namespace harmony
