#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace harmony::test {

/// A TCP server on a free port of 127.0.0.1 that serves one connection at a time, in a thread of
/// its own, until it goes out of scope.
class local_server {
public:
  /// What it does with a connection. `ended(ms)` waits for so long and tells whether the server is
  /// to end.
  using service = std::function<void(int fd, const std::function<bool(int ms)>& ended)>;

  explicit local_server(service serve);
  ~local_server();
  local_server(const local_server&) = delete;
  local_server& operator=(const local_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// Waits until a connection was accepted.
  void await_connection();

private:
  void run();
  bool ended(int ms) const;

  service serve_;
  std::uint16_t port_ = 0; // before the listener, which sets it
  int listener_ = -1;
  int end_ = -1;
  int accepted_ = -1;
  std::thread thread_;
};

/// A socket that is bound to a free port of 127.0.0.1; not listening, so a connection is refused.
/// Throws std::runtime_error when it cannot be made. The caller closes it.
int bound_socket(std::uint16_t& port);

/// Reads up to the end of an HTTP request's header.
std::string read_request(int fd);

/// Writes it all, without SIGPIPE. False when the peer left.
bool send_text(int fd, const std::string& text);

} // namespace harmony::test
