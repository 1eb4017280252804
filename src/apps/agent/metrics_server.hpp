#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "apps/agent/metrics_address.hpp"
#include "model/outcome.hpp"
#include "topology/files.hpp"

namespace harmony {

/// Answers `GET /metrics` over HTTP on one thread, one connection at a time, each for two seconds
/// at most. Only local clients reach it, and it tells what `harmony-agent status` tells. Ends with
/// this object.
class metrics_server {
public:
  /// Calls `text` at each request. Fails with port_in_use, permission_denied or io_error.
  static outcome<std::unique_ptr<metrics_server>> start(const metrics_address& at,
                                                        std::function<std::string()> text);
  ~metrics_server();
  metrics_server(const metrics_server&) = delete;
  metrics_server& operator=(const metrics_server&) = delete;

  /// The port, where the address had 0: one that was free.
  [[nodiscard]] std::uint16_t port() const;

private:
  metrics_server(open_fd listener, open_fd wake, std::string path,
                 std::function<std::string()> text);
  void serve();
  void answer(int client) const;

  open_fd listener_;
  open_fd wake_;     ///< readable: end
  std::string path_; ///< of the unix socket; empty: none
  std::function<std::string()> text_;
  std::thread thread_;
};

} // namespace harmony
