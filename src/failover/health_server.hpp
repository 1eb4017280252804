#pragma once

#include <functional>
#include <memory>
#include <string>

#include "failover/view.hpp"
#include "model/outcome.hpp"

namespace harmony::failover {

/// Answers health checks over HTTP, from threads of its own, until it goes. A client that is slow
/// is given up after a second.
class health_server {
public:
  /// Port 0: any that is free. Fails with port_in_use.
  static outcome<std::unique_ptr<health_server>> start(const std::string& address, int port,
                                                       std::function<member_view()> look);
  ~health_server();
  health_server(const health_server&) = delete;
  health_server& operator=(const health_server&) = delete;

  [[nodiscard]] int port() const;

private:
  struct parts;
  explicit health_server(std::unique_ptr<parts> p);
  std::unique_ptr<parts> parts_;
};

} // namespace harmony::failover
