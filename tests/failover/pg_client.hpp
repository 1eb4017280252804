#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

struct pg_conn;

namespace harmony::test {

/// A session of a client that never waits for longer than it says: its server may be frozen.
class pg_client {
public:
  using milliseconds = std::chrono::milliseconds;

  explicit pg_client(std::string conninfo) : conninfo_(std::move(conninfo)) {}

  struct answer {
    bool ok = false;
    std::string text;     ///< the first field, or the error
    std::string sqlstate; ///< of an error of the server; empty: the connection has gone
  };

  /// Connects where it is not, and asks. What did not answer in time is disconnected: it is not
  /// known whether it was done.
  answer ask(const std::string& sql, milliseconds limit = milliseconds{2000});

  /// The first field; nothing where that failed.
  std::optional<std::string> value(const std::string& sql, milliseconds limit = milliseconds{2000});

  void disconnect() { connection_.reset(); }

private:
  using deadline = std::chrono::steady_clock::time_point;
  bool connect(deadline until);
  [[nodiscard]] bool wait(short events, deadline until) const;

  struct finish {
    void operator()(pg_conn* c) const;
  };
  std::string conninfo_;
  std::unique_ptr<pg_conn, finish> connection_;
};

} // namespace harmony::test
