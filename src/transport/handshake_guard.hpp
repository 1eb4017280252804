#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <sys/types.h>

#include "transport/worker_pool.hpp"

namespace harmony::nats {

/// Ends an attempt to connect that hangs, for as long as this object lives.
///
/// The client library before 3.8 waits without end, at the cost of a core, for a server that sent
/// INFO and then falls silent (nats.c issue 706), and offers no way out. The socket is the
/// library's own, so it is found among this process's: made since the attempt began, to the
/// server's port, not that of a connection known to be up, and without a sign of the server for
/// longer than a slow link explains. It is shut down, and the library returns with an error.
class handshake_guard {
public:
  /// A server that is reached says something in so long: more than two seconds each way.
  static constexpr std::chrono::milliseconds silence{5000};
  /// For TCP's own handshake. The kernel asks at 0, 1 and 3 s (before Linux 6.5): by beginning anew
  /// between, no more than 1.75 s go by without a question, whatever the outage.
  static constexpr std::chrono::milliseconds unanswered{2500};

  /// `port` is the server's, the one thing that all its addresses share.
  handshake_guard(worker_pool& workers, int port);
  ~handshake_guard();
  handshake_guard(const handshake_guard&) = delete;
  handshake_guard& operator=(const handshake_guard&) = delete;

private:
  struct core;
  std::shared_ptr<core> core_;
};

/// Keeps a connection that is up, by its local port, from being taken for one that hangs.
class connection_mark {
public:
  explicit connection_mark(int local_port);
  ~connection_mark();
  connection_mark(const connection_mark&) = delete;
  connection_mark& operator=(const connection_mark&) = delete;

private:
  int local_port_;
};

} // namespace harmony::nats
