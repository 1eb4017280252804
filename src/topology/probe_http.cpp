#include <httplib.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <sys/socket.h>
#include <thread>

#include "topology/probe_checks.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;

/// Keeps SIGPIPE from this thread: the library writes without MSG_NOSIGNAL.
class sigpipe_guard {
public:
  sigpipe_guard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  sigpipe_guard(const sigpipe_guard&) = delete;
  sigpipe_guard& operator=(const sigpipe_guard&) = delete;
  ~sigpipe_guard() {
    if (sigismember(&before_, SIGPIPE) != 0)
      return; // blocked before: a pending one may be somebody else's
    const ::timespec at_once{};
    ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  ::sigset_t pipe_{};
  ::sigset_t before_{};
};

/// Ends the exchange on its socket when the time is over or it is canceled. The library's own
/// timeouts start anew with every byte, so that a server which trickles would hold it for ever.
class exchange_watch {
public:
  explicit exchange_watch(const check_limits& limits) : thread_([this, &limits] { run(limits); }) {}
  exchange_watch(const exchange_watch&) = delete;
  exchange_watch& operator=(const exchange_watch&) = delete;
  ~exchange_watch() {
    {
      const std::lock_guard guard{mutex_};
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// Holds a duplicate, so that the number cannot come to mean another file meanwhile.
  void hold(int socket) {
    const std::lock_guard guard{mutex_};
    socket_ = open_fd{::fcntl(socket, F_DUPFD_CLOEXEC, 0)};
    if (ended_)
      ::shutdown(socket_.get(), SHUT_RDWR);
  }

private:
  void run(const check_limits& limits) {
    std::unique_lock guard{mutex_};
    if (changed_.wait_until(guard, limits.cancel(), limits.end(), [this] { return done_; }))
      return;
    ended_ = true;
    if (socket_)
      ::shutdown(socket_.get(), SHUT_RDWR);
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool done_ = false;
  bool ended_ = false;
  open_fd socket_;
  std::thread thread_; // the last, so that it starts when the others are there
};

} // namespace

outcome<probe_result> check_http(const http_probe& p, const check_limits& limits) {
  const auto url = "'http://" + p.host + ":" + std::to_string(p.port) + p.path + "'";
  // The library does not tell this process' own lack of descriptors from a refusal.
  if (!open_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)})
    return {ec::io_error, "http probe: no socket for " + url + ": " + error_text(errno)};
  const sigpipe_guard no_sigpipe;
  exchange_watch watch{limits};
  httplib::Client client{p.host, p.port};
  client.set_follow_location(false);
  client.set_url_encode(false); // the path stands in the manifest as it goes out
  const milliseconds left{std::max(limits.left(), 1)};
  client.set_connection_timeout(left);
  client.set_read_timeout(left);
  client.set_write_timeout(left);
  client.set_socket_options([&watch](int fd) { watch.hold(fd); });

  int status = 0;
  const auto answer = client.Get(
    p.path, httplib::Headers{{"User-Agent", "harmony-probe"}, {"Connection", "close"}},
    [&status](const httplib::Response& header) {
      status = header.status;
      return false; // the status says all; the body is not read
    },
    [](const char*, std::size_t) { return false; });

  if (answer)
    status = answer->status; // the library does not show a 204 to the handler
  if (status != 0) {
    if (status >= 200 && status < 400)
      return probe_result{true, {}};
    return probe_result{false, url + " answered " + std::to_string(status)};
  }
  if (limits.canceled())
    return {ec::canceled, "http probe of " + url + " was interrupted"};
  if (limits.over() || answer.error() == httplib::Error::ConnectionTimeout)
    return probe_result{false, url + " did not answer in time"};
  if (answer.error() == httplib::Error::Connection)
    return probe_result{false, url + " cannot be connected to"};
  return probe_result{false,
                      url + " gave no HTTP answer (" + httplib::to_string(answer.error()) + ")"};
}

} // namespace harmony
