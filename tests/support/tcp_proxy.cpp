#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

/// Pieces, of 64 KiB at most, that wait in a flow before more is read.
constexpr std::size_t most_waiting = 64;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

} // namespace

tcp_proxy::tcp_proxy(int target_port) : target_(target_port) {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_, any, size) != 0 || ::getsockname(listening_, any, &size) != 0
      || ::listen(listening_, 64) != 0)
    throw std::runtime_error{"no free port"};
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

tcp_proxy::~tcp_proxy() {
  {
    const std::lock_guard guard{mutex_};
    ended_ = true;
  }
  wake();
  thread_.join();
  for (auto& each : pairs_)
    close(each);
  ::close(listening_);
  ::close(wake_);
}

void tcp_proxy::delay(milliseconds each_way) {
  const std::lock_guard guard{mutex_};
  delay_ = each_way;
}

void tcp_proxy::forget() {
  const std::lock_guard guard{mutex_};
  for (auto& each : pairs_)
    each.forgotten = true;
}

void tcp_proxy::hang_handshakes(bool hang) {
  const std::lock_guard guard{mutex_};
  hang_ = hang;
}

void tcp_proxy::cut() {
  {
    const std::lock_guard guard{mutex_};
    for (auto& each : pairs_)
      each.up.ended = each.down.ended = true;
  }
  wake();
}

void tcp_proxy::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(wake_, &one, sizeof one);
}

void tcp_proxy::close(pair& p) {
  ::close(p.up.from);
  ::close(p.up.to);
}

void tcp_proxy::serve() {
  for (;;) {
    std::vector<pollfd> watched{{wake_, POLLIN, 0}, {listening_, POLLIN, 0}};
    int wait = -1;
    {
      const std::lock_guard guard{mutex_};
      if (ended_)
        return;
      const auto now = steady_clock::now();
      for (const auto& each : pairs_) {
        watched.push_back({each.up.from, events(each.up, each.down, now), 0});
        watched.push_back({each.down.from, events(each.down, each.up, now), 0});
      }
      wait = wait_ms(now);
    }
    ::poll(watched.data(), watched.size(), wait);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(wake_, &count, sizeof count);
    const std::lock_guard guard{mutex_};
    std::size_t at = 2;
    for (auto& each : pairs_) {
      const bool sent = (watched[at++].revents != 0) && !read(each.up, each);
      const bool came = (watched[at++].revents != 0) && !read(each.down, each);
      const bool good = write(each.up) && write(each.down);
      if (sent || came || !good)
        each.up.ended = each.down.ended = true;
    }
    std::erase_if(pairs_, [](auto& each) {
      if (!each.up.ended)
        return false;
      close(each);
      return true;
    });
    if (watched[1].revents != 0)
      take();
  }
}

// What a socket is watched for: it is read into one flow and written from the other.
short tcp_proxy::events(const flow& out_of, const flow& into, steady_clock::time_point now) {
  const bool full = out_of.waiting.size() >= most_waiting;
  const bool due = !into.waiting.empty() && into.waiting.front().due <= now;
  return static_cast<short>((full ? 0 : POLLIN) | (due ? POLLOUT : 0));
}

// Until the next bytes are due; -1 for ever. For those that are, a socket is watched.
int tcp_proxy::wait_ms(steady_clock::time_point now) const {
  auto first = steady_clock::time_point::max();
  for (const auto& each : pairs_)
    for (const auto* f : {&each.up, &each.down})
      if (!f->waiting.empty() && f->waiting.front().due > now)
        first = std::min(first, f->waiting.front().due);
  if (first == steady_clock::time_point::max())
    return -1;
  const auto left = std::chrono::ceil<milliseconds>(first - now).count();
  return static_cast<int>(std::max<milliseconds::rep>(left, 0));
}

void tcp_proxy::take() {
  const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0)
    return;
  ++taken_;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(target_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(server);
    ::close(client);
    return;
  }
  for (const int fd : {client, server}) {
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  pair fresh;
  fresh.up = {client, server, {}, false};
  fresh.down = {server, client, {}, false};
  fresh.only_greeting = hang_;
  pairs_.push_back(std::move(fresh));
}

// False at the connection's end.
bool tcp_proxy::read(flow& f, pair& p) {
  std::array<char, 65536> buffer{};
  const auto size = ::recv(f.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size <= 0)
    return size < 0 && (errno == EAGAIN || errno == EINTR);
  if (p.forgotten || (p.only_greeting && (&f == &p.up || std::exchange(p.greeted, true))))
    return true;
  f.waiting.push_back(
    {steady_clock::now() + delay_, std::string(buffer.data(), static_cast<std::size_t>(size))});
  return true;
}

// Sends what is due, as far as the receiver takes it; false where the other end is gone.
bool tcp_proxy::write(flow& f) {
  while (!f.waiting.empty() && f.waiting.front().due <= steady_clock::now()) {
    auto& bytes = f.waiting.front().bytes;
    const auto size = ::send(f.to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0)
      return errno == EAGAIN || errno == EINTR;
    bytes.erase(0, static_cast<std::size_t>(size));
    if (!bytes.empty())
      return true;
    f.waiting.pop_front();
  }
  return true;
}

} // namespace harmony::test
