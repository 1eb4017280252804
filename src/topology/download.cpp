#include "topology/download.hpp"

// The only place of this layer that pays for this header.
#include <httplib.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>

#include "fault/fault.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A URL in the two halves that the library wants.
struct split_url {
  std::string server; ///< "https://host:port"
  std::string path;   ///< "/path?query"
};

std::optional<split_url> split(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos
      || (url.compare(0, scheme, "http") != 0 && url.compare(0, scheme, "https") != 0))
    return std::nullopt;
  const auto host = scheme + 3;
  const auto path = std::min(url.find_first_of("/?#", host), url.size());
  const auto server = url.substr(0, path);
  if (path == host || server.find('@') != std::string::npos)
    return std::nullopt;
  auto rest = url.substr(path, url.find('#', path) - path);
  if (rest.empty() || rest.front() != '/')
    rest.insert(0, "/");
  return split_url{server, rest};
}

/// The library writes to sockets without MSG_NOSIGNAL; a server that hangs up must not end the
/// agent. Blocks SIGPIPE in this thread and swallows one that came.
class no_sigpipe {
public:
  no_sigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;
  ~no_sigpipe() {
    if (sigismember(&before_, SIGPIPE) == 0) {
      const ::timespec at_once{};
      ::sigtimedwait(&pipe_, nullptr, &at_once);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  ::sigset_t pipe_{};
  ::sigset_t before_{};
};

/// Shuts the client's connection down when `limits` say so, which ends any wait of the client's.
/// The library's own timeouts start anew with every byte.
class breaker {
public:
  breaker(httplib::Client& client, const op_limits& limits)
    : thread_([this, &client, &limits] { run(client, limits); }) {}
  breaker(const breaker&) = delete;
  breaker& operator=(const breaker&) = delete;
  ~breaker() {
    {
      const std::lock_guard guard{mutex_};
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

private:
  void run(httplib::Client& client, const op_limits& limits) {
    std::unique_lock guard{mutex_};
    const auto finished = [this] { return done_; };
    if (!changed_.wait_until(guard, limits.cancel, limits.deadline, finished)) {
      // Again and again: a connection may be made just after the first time.
      do {
        guard.unlock();
        client.stop();
        guard.lock();
      } while (!changed_.wait_for(guard, milliseconds{50}, finished));
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool done_ = false;
  std::thread thread_;
};

milliseconds at_most(milliseconds timeout, const op_limits& limits) {
  if (limits.deadline == steady_clock::time_point::max())
    return timeout;
  const auto left = std::chrono::ceil<milliseconds>(limits.deadline - steady_clock::now());
  return std::clamp(left, milliseconds{1}, timeout);
}

std::string_view describe(httplib::Error e) {
  switch (e) {
  case httplib::Error::Connection: return "no connection";
  case httplib::Error::ConnectionTimeout: return "no connection in time";
  case httplib::Error::Read: return "the connection broke or fell silent";
  case httplib::Error::Write: return "the server hung up";
  case httplib::Error::SSLConnection: return "no TLS connection";
  case httplib::Error::SSLLoadingCerts: return "the system's certificates cannot be read";
  case httplib::Error::SSLServerVerification: return "the server's certificate is not trusted";
  default: return "the transfer failed";
  }
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Where a redirect of `from` leads.
std::string resolve(const split_url& from, const std::string& location) {
  if (location.find("://") != std::string::npos)
    return location;
  if (location.rfind("//", 0) == 0)
    return from.server.substr(0, from.server.find(':') + 1) + location;
  if (!location.empty() && location.front() == '/')
    return from.server + location;
  const auto folder = from.path.substr(0, from.path.find_first_of("?#"));
  return from.server + folder.substr(0, folder.rfind('/') + 1) + location;
}

/// One download: a request, or several where the server sends elsewhere.
class transfer {
public:
  transfer(const std::string& url, const content_sink& sink, const op_limits& limits,
           const download_options& options)
    : asked_(url), sink_(sink), limits_(limits), options_(options) {}

  outcome<void> run() {
    auto url = asked_;
    for (unsigned hop = 0; hop <= options_.max_redirects; ++hop) {
      const auto parts = split(url);
      if (!parts)
        return failed("'" + url + "' is not an http:// or https:// URL without a password");
      auto next = request(*parts);
      if (!next)
        return next.error();
      if (next->empty())
        return {};
      url = std::move(*next);
    }
    return failed("more than " + std::to_string(options_.max_redirects) + " redirects");
  }

private:
  /// Where to go on, or "" when the content has come.
  outcome<std::string> request(const split_url& url) {
    if (auto go_on = limits_.check("downloading '" + asked_ + "'"); !go_on)
      return go_on.error();
    httplib::Client client{url.server};
    if (!client.is_valid())
      return failed("'" + url.server + "' is no server's address");
    client.set_connection_timeout(at_most(options_.connect_timeout, limits_));
    client.set_read_timeout(at_most(options_.idle_timeout, limits_));
    client.set_write_timeout(at_most(options_.idle_timeout, limits_));
    client.set_decompress(false); // the hash is of the bytes as they are stored
    client.set_url_encode(false); // the URL is taken as it is written
    const breaker guard{client, limits_};
    why_.reset();
    const auto result = client.Get(
      url.path, {{"Accept-Encoding", "identity"}, {"User-Agent", "harmony-agent"}},
      [&](const httplib::Response& head) { return accept(head, url); },
      [&](const char* data, std::size_t size) {
        return take({data, size});
      });
    if (auto go_on = limits_.check("downloading '" + asked_ + "'"); !go_on)
      return go_on.error();
    if (why_)
      return *why_;
    if (!next_.empty())
      return std::exchange(next_, {});
    if (!result)
      return failed(std::string{describe(result.error())});
    if (expected_ && received_ != *expected_)
      return failed("the connection broke after " + std::to_string(received_) + " of "
                    + std::to_string(*expected_) + " bytes");
    return std::string{};
  }

  /// Whether the body is wanted.
  bool accept(const httplib::Response& head, const split_url& url) {
    if (is_redirect(head.status) && head.has_header("Location")) {
      next_ = resolve(url, head.get_header_value("Location"));
      return false;
    }
    if (head.status != 200)
      return refuse("the server answered " + std::to_string(head.status));
    expected_.reset();
    if (head.has_header("Content-Length"))
      expected_ = head.get_header_value<std::uint64_t>("Content-Length");
    if (expected_ && *expected_ > options_.max_bytes)
      return refuse(too_large());
    return true;
  }

  bool take(std::string_view piece) {
    received_ += piece.size();
    if (received_ > options_.max_bytes)
      return refuse(too_large());
    if (!limits_.check(""))
      return false;
    if (auto taken = sink_(piece); !taken) {
      why_ = taken.error();
      return false;
    }
    return true;
  }

  std::string too_large() const {
    return "it is larger than " + std::to_string(options_.max_bytes) + " bytes";
  }

  bool refuse(const std::string& why) {
    why_ = failed(why);
    return false;
  }

  failure failed(const std::string& why) const {
    return {ec::download_failed, "cannot download '" + asked_ + "': " + why
                                   + ": check the URL and that this device can reach it"};
  }

  const std::string& asked_;
  const content_sink& sink_;
  const op_limits& limits_;
  const download_options& options_;
  std::optional<failure> why_;
  std::string next_;
  std::optional<std::uint64_t> expected_;
  std::uint64_t received_ = 0;
};

} // namespace

outcome<void> download(const std::string& url, const content_sink& sink, const op_limits& limits,
                       const download_options& options) {
  HARMONY_FAULT("download.fetch.before");
  const no_sigpipe guard;
  try {
    auto done = transfer{url, sink, limits, options}.run();
    HARMONY_FAULT("download.fetch.after");
    return done;
  } catch (const std::exception& e) {
    return {ec::download_failed, "cannot download '" + url + "': " + e.what()};
  }
}

} // namespace harmony
