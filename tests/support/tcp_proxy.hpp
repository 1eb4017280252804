#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace harmony::test {

/// A bad network: forwards connections on a free port of 127.0.0.1 to another port there, as long
/// as it is told to. One thread; all connections end with this object.
class tcp_proxy {
public:
  using milliseconds = std::chrono::milliseconds;

  /// Throws std::runtime_error when there is no free port.
  explicit tcp_proxy(int target_port);
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  [[nodiscard]] int port() const noexcept { return port_; }

  /// Everything takes so much longer, in each direction.
  void delay(milliseconds each_way);
  /// Nothing passes any more over the connections that there are, and nobody is told; new ones
  /// work.
  void forget();
  /// Takes new connections, passes `greeting` of the server on up to its first line's end and then
  /// nothing: the handshake hangs. `false`: new connections work again.
  void hang_handshakes(bool hang);
  /// Closes the connections that there are.
  void cut();
  /// How many connections were taken so far.
  [[nodiscard]] std::size_t taken() const noexcept { return taken_; }

private:
  struct chunk {
    std::chrono::steady_clock::time_point due;
    std::string bytes;
  };
  /// Bytes on their way from one socket to another.
  struct flow {
    int from = -1;
    int to = -1;
    std::deque<chunk> waiting;
    bool ended = false;
  };
  struct pair {
    flow up, down; ///< to the server, and back
    bool forgotten = false;
    bool only_greeting = false;
    bool greeted = false;
  };

  void serve();
  void take();
  bool read(flow& f, pair& p);
  static bool write(flow& f);
  static short events(const flow& out_of, const flow& into,
                      std::chrono::steady_clock::time_point now);
  [[nodiscard]] int wait_ms(std::chrono::steady_clock::time_point now) const;
  static void close(pair& p);
  void wake() const;

  const int target_;
  int listening_ = -1;
  int wake_ = -1; // eventfd
  int port_ = 0;
  std::atomic<std::size_t> taken_ = 0;

  mutable std::mutex mutex_; // guards what follows
  std::list<pair> pairs_;
  milliseconds delay_{0};
  bool hang_ = false;
  bool ended_ = false;

  std::thread thread_;
};

} // namespace harmony::test
