#include "topology/http_client.hpp"

#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace harmony {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t max_body = std::size_t{16} << 20;

// poll() takes an int of milliseconds, so for ever is a day; a stream that is silent for so long is
// opened anew by its owner.
constexpr milliseconds longest_wait = std::chrono::hours{24};

milliseconds remaining(const call_limits& limits) {
  const auto now = clock::now();
  if (limits.deadline <= now)
    return milliseconds{0};
  if (limits.deadline - now > longest_wait)
    return longest_wait;
  // Rounded up, so that a wait which times out is past the deadline.
  return std::chrono::ceil<milliseconds>(limits.deadline - now) + milliseconds{1};
}

// Keeps SIGPIPE from this thread: the library writes without MSG_NOSIGNAL, and a server that left
// must not end this process.
class sigpipe_block {
public:
  sigpipe_block() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  sigpipe_block(const sigpipe_block&) = delete;
  sigpipe_block& operator=(const sigpipe_block&) = delete;
  ~sigpipe_block() {
    const timespec at_once{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &at_once) == -1 && errno == EINTR) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// Ends an exchange from another thread, at whatever point it is. It holds a duplicate of the
// socket, so that the number cannot come to mean another file meanwhile; a unix socket that was
// shut down before it is connected fails its first write.
class abort_switch {
public:
  abort_switch() = default;
  abort_switch(const abort_switch&) = delete;
  abort_switch& operator=(const abort_switch&) = delete;
  ~abort_switch() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  void arm(int socket) {
    const std::lock_guard lock{mutex_};
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (aborted_)
      ::shutdown(fd_, SHUT_RDWR);
  }

  void abort() {
    const std::lock_guard lock{mutex_};
    aborted_ = true;
    if (fd_ >= 0)
      ::shutdown(fd_, SHUT_RDWR);
  }

  [[nodiscard]] bool aborted() const {
    const std::lock_guard lock{mutex_};
    return aborted_;
  }

private:
  mutable std::mutex mutex_;
  int fd_ = -1;
  bool aborted_ = false;
};

// The library's timeout starts anew with each read. An answer that trickles therefore gets a thread
// that ends it on time.
class deadline_watch {
public:
  deadline_watch(abort_switch& target, clock::time_point deadline)
    : thread_([this, &target, deadline] {
        std::unique_lock lock{mutex_};
        if (!ended_.wait_until(lock, deadline, [this] { return done_; }))
          target.abort();
      }) {}
  deadline_watch(const deadline_watch&) = delete;
  deadline_watch& operator=(const deadline_watch&) = delete;
  ~deadline_watch() {
    {
      const std::lock_guard lock{mutex_};
      done_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

struct exchange {
  http_response answer;
  httplib::Error error = httplib::Error::Success;
  bool answered = false; ///< the header arrived
};

exchange exchange_once(const std::string& socket, const http_request& ask,
                       const call_limits& limits, abort_switch& abort) {
  exchange result;
  httplib::Request request;
  request.method = ask.method;
  request.path = ask.target;
  request.headers = {{"Host", "localhost"}};
  if (!ask.json.empty()) {
    request.body = ask.json;
    request.headers.emplace("Content-Type", "application/json");
  }
  const auto taken = [&] {
    return ask.piece && result.answer.status >= 200 && result.answer.status < 300;
  };
  request.response_handler = [&](const httplib::Response& header) {
    result.answered = true;
    result.answer.status = header.status;
    if (ask.opened && header.status >= 200 && header.status < 300)
      ask.opened();
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (taken())
      return ask.piece(std::string_view{data, size});
    if (result.answer.body.size() + size > max_body)
      return false;
    result.answer.body.append(data, size);
    return true;
  };

  httplib::Client client{socket, 80};
  client.set_address_family(AF_UNIX);
  client.set_url_encode(false);
  client.set_keep_alive(false);
  const auto wait = remaining(limits);
  client.set_connection_timeout(wait);
  client.set_read_timeout(wait);
  client.set_write_timeout(wait);
  client.set_socket_options([&](int fd) { abort.arm(fd); });
  const auto sent = client.send(request);
  result.error = sent ? httplib::Error::Success : sent.error();
  if (sent)
    result.answer.status = sent->status; // the handler is not called for 204
  return result;
}

failure not_there(const std::string& socket, std::string_view server, std::string_view remedy) {
  struct stat info {};
  const bool usable = stat(socket.c_str(), &info) == 0 && ::access(socket.c_str(), W_OK) == 0;
  const int why = usable ? ECONNREFUSED : errno;
  auto message = std::string{server} + " cannot be reached at '" + socket
                 + "': " + std::generic_category().message(why) + "; " + std::string{remedy};
  return {why == EACCES || why == EPERM ? ec::permission_denied : ec::runtime_unavailable,
          std::move(message)};
}

} // namespace

outcome<http_response> http_call(const std::string& socket, const http_request& ask,
                                 const call_limits& limits, std::string_view server,
                                 std::string_view remedy) {
  const sigpipe_block no_sigpipe;
  const auto what = ask.method + " " + ask.target.substr(0, ask.target.find('?'));
  for (int attempt = 0;; ++attempt) {
    abort_switch abort;
    const std::stop_callback on_cancel{limits.cancel, [&abort] { abort.abort(); }};
    exchange done;
    if (!limits.cancel.stop_requested() && limits.deadline > clock::now()) {
      std::optional<deadline_watch> watch;
      if (ask.streamed && limits.deadline - clock::now() < longest_wait)
        watch.emplace(abort, limits.deadline);
      done = exchange_once(socket, ask, limits, abort);
      // An answer without a length ends with its connection, so cut off it looks whole.
      if (done.error == httplib::Error::Success && !abort.aborted())
        return std::move(done.answer);
    }
    if (limits.cancel.stop_requested())
      return {ec::canceled, what + " was interrupted"};
    if (limits.deadline <= clock::now())
      return {ec::timed_out, std::string{server} + " did not answer " + what + " in time"};
    if (done.error == httplib::Error::Connection)
      return not_there(socket, server, remedy);
    // A socket-activated server that leaves when idle may do so with our request in its hands.
    if (ask.repeatable && !done.answered && attempt == 0)
      continue;
    return {ec::runtime_unavailable, std::string{server} + " closed the connection during " + what
                                       + " (" + httplib::to_string(done.error) + "); "
                                       + std::string{remedy}};
  }
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

} // namespace harmony
