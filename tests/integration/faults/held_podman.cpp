#include "held_podman.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace harmony::test {

namespace {

constexpr auto podman = "/run/podman/podman.sock";
constexpr int look_ms = 50; ///< between looks at whether this object ends

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
  return address;
}

template <class Call>
int with_socket(const std::string& path, Call call) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(path);
  if (call(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  ::close(fd);
  return -1;
}

void send_all(int to, const char* data, std::size_t size) {
  while (size > 0) {
    const auto n = ::send(to, data, size, MSG_NOSIGNAL);
    if (n <= 0)
      return; // who it is for left
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

bool is_creation(const std::string& request) {
  return request.find("/containers/create") < request.find('\n');
}

bool is_whole(const std::string& request) {
  const std::string field = "Content-Length: ";
  const auto head = request.find("\r\n\r\n");
  const auto length = request.find(field);
  return head != std::string::npos && length < head
         && request.size() >= head + 4 + std::stoul(request.substr(length + field.size()));
}

} // namespace

held_podman::held_podman() {
  listener_ = with_socket(socket(), ::bind);
  if (listener_ < 0 || ::listen(listener_, 64) != 0)
    throw std::runtime_error{"no socket at " + socket()};
  accepting_ = std::thread{[this] { accept_all(); }};
}

held_podman::~held_podman() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (auto& each : threads_)
    each.join();
  ::close(listener_);
}

void held_podman::hold() {
  const std::lock_guard lock{mutex_};
  holding_ = true;
}

bool held_podman::holds_one() {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return holds_one_; });
}

void held_podman::release() {
  {
    const std::lock_guard lock{mutex_};
    holding_ = false;
  }
  changed_.notify_all();
}

void held_podman::accept_all() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
      return;
    threads_.emplace_back([this, client] {
      serve(client);
      ::close(client);
    });
  }
}

void held_podman::wait_if_held() {
  std::unique_lock lock{mutex_};
  if (!holding_ || holds_one_)
    return;
  holds_one_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !holding_ || ending_; });
  holds_one_ = false;
}

bool held_podman::ends() {
  const std::lock_guard lock{mutex_};
  return ending_;
}

/// One request a connection, as the agent sends it.
void held_podman::serve(int client) {
  std::array<char, 65536> buffer{};
  std::string request; ///< what was not passed on yet
  bool creates = false;
  int server = -1; // not before it is needed: podman's service leaves when idle
  std::array<pollfd, 2> wait{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
  while (!ends()) {
    ::poll(wait.data(), wait.size(), look_ms);
    if ((wait[0].revents & (POLLIN | POLLHUP)) != 0) {
      const auto n = ::recv(client, buffer.data(), buffer.size(), 0);
      if (n <= 0 && !creates)
        break;
      if (n <= 0)
        wait[0].fd = -1; // podman goes on with it
      request.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
      creates = creates || is_creation(request);
      if (request.empty() || (creates && !is_whole(request)))
        continue;
      if (creates)
        wait_if_held();
      if (server < 0)
        wait[1].fd = server = with_socket(podman, ::connect);
      send_all(server, request.data(), request.size());
      request.clear();
    }
    if (server >= 0 && (wait[1].revents & (POLLIN | POLLHUP)) != 0) {
      const auto n = ::recv(server, buffer.data(), buffer.size(), 0);
      if (n <= 0)
        break;
      send_all(client, buffer.data(), static_cast<std::size_t>(n));
    }
  }
  if (server >= 0)
    ::close(server);
}

} // namespace harmony::test
