#pragma once

#include <functional>
#include <memory>
#include <string>

namespace harmony::test {

/// An HTTP or HTTPS server on a free port of the loopback, up until it goes.
class web_server {
public:
  enum class scheme { http, https };

  /// With https: a self-signed certificate for 127.0.0.1, written to `certificate` (PEM).
  explicit web_server(scheme s = scheme::http, const std::string& certificate = {});
  web_server(const web_server&) = delete;
  web_server& operator=(const web_server&) = delete;
  ~web_server();

  /// Answers `path` with `body`.
  void serve(const std::string& path, const std::string& body);
  /// Answers `path` with a redirect to `location`.
  void redirect(const std::string& path, const std::string& location);
  /// Begins to listen; after the paths are set.
  void start();

  [[nodiscard]] std::string url(const std::string& path) const;
  [[nodiscard]] int requests() const;

private:
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

/// A server that takes one connection and does with it what a test wants.
class raw_server {
public:
  /// `serve(fd)` runs on a thread once somebody has connected; it owns nothing.
  explicit raw_server(std::function<void(int)> serve);
  raw_server(const raw_server&) = delete;
  raw_server& operator=(const raw_server&) = delete;
  ~raw_server();

  [[nodiscard]] std::string url() const;
  /// Waits until a client has connected.
  void await_client();

private:
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

} // namespace harmony::test
