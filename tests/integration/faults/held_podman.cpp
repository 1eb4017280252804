#include "held_podman.hpp"

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
  return changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return held_ > 0; });
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

void held_podman::wait_if_held(const std::string& request) {
  std::unique_lock lock{mutex_};
  if (!holding_ || request.find("/containers/create") > request.find('\n'))
    return;
  ++held_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !holding_ || ending_; });
  --held_;
}

/// The agent sends one request a connection, and that in one piece or two.
void held_podman::serve(int client) {
  const int server = with_socket(podman, ::connect);
  if (server < 0)
    return;
  std::array<char, 65536> buffer{};
  std::string request;
  std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
  for (bool ended = false; !ended;) {
    ::poll(ends.data(), ends.size(), look_ms);
    {
      const std::lock_guard lock{mutex_};
      ended = ending_;
    }
    if ((ends[0].revents & (POLLIN | POLLHUP)) != 0) {
      const auto n = ::recv(client, buffer.data(), buffer.size(), 0);
      if (n > 0) {
        request.append(buffer.data(), static_cast<std::size_t>(n));
        wait_if_held(request);
        send_all(server, buffer.data(), static_cast<std::size_t>(n));
      } else if (request.find("/containers/create") < request.find('\n')) {
        ends[0].fd = -1; // podman goes on with it
      } else {
        ended = true;
      }
    }
    if ((ends[1].revents & (POLLIN | POLLHUP)) != 0) {
      const auto n = ::recv(server, buffer.data(), buffer.size(), 0);
      if (n <= 0)
        ended = true;
      else
        send_all(client, buffer.data(), static_cast<std::size_t>(n));
    }
  }
  ::close(server);
}

} // namespace harmony::test
