#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony {

/// A server on a unix socket that does with a connection what the test says: reads one request a
/// connection and hands the connection to `answer`.
class bad_server {
public:
  using answer_function = std::function<void(int connection)>;

  explicit bad_server(answer_function answer)
    : answer_(std::move(answer)), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket();
    REQUIRE(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    thread_ = std::thread{[this] { serve(); }};
  }
  bad_server(const bad_server&) = delete;
  bad_server& operator=(const bad_server&) = delete;
  ~bad_server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  [[nodiscard]] std::string socket() const { return (folder_ / "s").string(); }
  std::atomic<int> connections = 0;

  // Waits until the client has gone.
  static void until_gone(int connection) {
    std::array<char, 64> bytes{};
    while (::recv(connection, bytes.data(), bytes.size(), 0) > 0) {
    }
  }

  static void say(int connection, const std::string& text) {
    ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  }

private:
  void serve() {
    for (;;) {
      const int connection = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0)
        return;
      ++connections;
      answer_(connection);
      ::close(connection);
    }
  }

  test::temp_dir folder_;
  answer_function answer_;
  int fd_;
  std::thread thread_;
};

/// Reads a request, and gives its header. With its body: to close a connection with bytes unread
/// would cut the answer off.
inline std::string take_request(int connection) {
  std::string all;
  std::array<char, 512> bytes{};
  const auto read_until = [&](auto enough) {
    while (!enough()) {
      const auto size = ::recv(connection, bytes.data(), bytes.size(), 0);
      if (size <= 0)
        return;
      all.append(bytes.data(), static_cast<std::size_t>(size));
    }
  };
  read_until([&] { return all.find("\r\n\r\n") != std::string::npos; });
  auto head = all.substr(0, all.find("\r\n\r\n"));
  const std::string length = "Content-Length: ";
  if (const auto at = head.find(length); at != std::string::npos) {
    const auto whole = head.size() + 4 + std::stoul(head.substr(at + length.size()));
    read_until([&] { return all.size() >= whole; });
  }
  return head;
}

} // namespace harmony
