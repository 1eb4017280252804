#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "support/temp_dir.hpp"

namespace harmony::test {

/// A real nats-server with JetStream on a free port of 127.0.0.1 and a private store folder; killed
/// and removed with this object. `NATS_SERVER` in the environment names another binary than the one
/// found in PATH or /usr/sbin.
class nats_server {
public:
  /// Starts the server and waits until it accepts connections (10 s). `extra` is added to its
  /// configuration, e.g. "authorization { token: x }". Throws std::runtime_error, with the
  /// server's log, when it does not come up.
  explicit nats_server(std::string extra = {});
  ~nats_server();
  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  /// Not started yet, but its port is known and kept for it.
  struct later {};
  explicit nats_server(later);

  /// Started, and reached at every address of the device.
  struct everywhere {};
  explicit nats_server(everywhere);

  /// "nats://127.0.0.1:port"
  [[nodiscard]] std::string url() const;
  /// The same with a user.
  [[nodiscard]] std::string url(const std::string& user, const std::string& password) const;
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }
  [[nodiscard]] std::string log() const;

  void start();  ///< on the same port and store folder
  void kill();   ///< SIGKILL, and waits for its end
  void stop();   ///< SIGTERM, and waits for its end
  void freeze(); ///< SIGSTOP: connections stay, nothing answers
  void thaw();   ///< SIGCONT
  /// Waits, 10 s at most, until `bytes` or more lie unread in a connection of the frozen server.
  [[nodiscard]] bool has_unread(std::size_t bytes) const;
  /// Other extra configuration, from the next start on.
  void configure(std::string extra) { extra_ = std::move(extra); }
  /// Other extra configuration, by SIGHUP; waits until it is in force.
  void reload(std::string extra);
  void wipe(); ///< deletes the store folder; only while it does not run
  /// Deletes one stream; only while it does not run.
  void wipe(const std::string& stream);
  void save();    ///< a copy of the store folder; only while it does not run
  void restore(); ///< back to that copy; only while it does not run
  /// A port of 127.0.0.1 that was free just now, e.g. for a cluster's routes.
  static int unused_port();
  /// The path of the binary.
  static std::string program();

private:
  void write_config() const;
  void wait_until_ready() const;
  void end(int signal);

  temp_dir folder_;
  std::string extra_;
  std::string host_ = "127.0.0.1"; ///< that it listens at
  int port_ = 0;
  pid_t pid_ = 0;
};

} // namespace harmony::test
