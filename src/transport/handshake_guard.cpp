#include "transport/handshake_guard.hpp"

#include <charconv>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "transport/nats_link.hpp"

namespace harmony::nats {

namespace {

using clock = std::chrono::steady_clock;

constexpr auto look_interval = std::chrono::milliseconds{250};

struct marks {
  std::mutex mutex;
  std::multiset<int> ports;
};

marks& known() {
  static auto* const forever = new marks; // connections may end while the process exits
  return *forever;
}

std::vector<int> open_fds() {
  std::vector<int> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it{"/proc/self/fd", error}, end; !error && it != end;
       it.increment(error)) {
    const auto name = it->path().filename().string();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    found.push_back(fd);
  }
  return found;
}

// The inode of a socket; 0 for anything else.
ino_t socket_inode(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? info.st_ino : 0;
}

std::set<ino_t> open_sockets() {
  std::set<ino_t> found;
  for (const int fd : open_fds())
    if (const auto inode = socket_inode(fd); inode != 0)
      found.insert(inode);
  return found;
}

int port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in ip{};
    std::memcpy(&ip, &address, sizeof ip);
    return ntohs(ip.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 ip{};
    std::memcpy(&ip, &address, sizeof ip);
    return ntohs(ip.sin6_port);
  }
  return -1;
}

int local_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? port_of(address)
                                                                              : -1;
}

// Also of a socket that only asks for a connection yet, where getpeername says nothing. The kernel
// wants no more room than an address has; the port is at the same place in both kinds.
int peer_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_in);
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &address, &size) == 0 ? port_of(address) : -1;
}

struct tcp_standing {
  bool unanswered = false; ///< no connection yet
  bool silent = false;     ///< a connection that nothing came over for too long
};

tcp_standing standing_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return {};
  return {info.tcpi_state == TCP_SYN_SENT,
          info.tcpi_state == TCP_ESTABLISHED
            && std::chrono::milliseconds{info.tcpi_last_data_recv} >= handshake_guard::silence};
}

} // namespace

struct handshake_guard::core {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  std::set<ino_t> before = open_sockets();
  int port = 0;
  std::map<ino_t, clock::time_point> asking; // since when, as far as seen

  void watch() {
    std::unique_lock guard{mutex};
    while (!changed.wait_for(guard, look_interval, [&] { return done; }))
      cut();
  }

  void cut() {
    for (const int fd : open_fds()) {
      // A duplicate cannot be closed and given to somebody else between the look and the cut.
      const int same = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (same < 0)
        continue;
      if (hangs(same))
        ::shutdown(same, SHUT_RDWR);
      ::close(same);
    }
  }

  [[nodiscard]] bool hangs(int fd) {
    const auto inode = socket_inode(fd);
    if (inode == 0 || before.count(inode) != 0 || peer_port(fd) != port)
      return false;
    const auto now = standing_of(fd);
    if (now.unanswered)
      return clock::now() - asking.try_emplace(inode, clock::now()).first->second >= unanswered;
    auto& up = known();
    const std::lock_guard guard{up.mutex};
    return up.ports.count(local_port(fd)) == 0 && now.silent;
  }
};

handshake_guard::handshake_guard(worker_pool& workers, int port) : core_(std::make_shared<core>()) {
  core_->port = port;
  // Without a worker there is no guard; the attempt itself is made all the same.
  [[maybe_unused]] const bool posted =
    workers.post([core = core_] { core->watch(); }, upkeep_limit);
}

handshake_guard::~handshake_guard() {
  const std::lock_guard guard{core_->mutex};
  core_->done = true;
  core_->changed.notify_all();
}

connection_mark::connection_mark(int local_port) : local_port_(local_port) {
  auto& up = known();
  const std::lock_guard guard{up.mutex};
  up.ports.insert(local_port_);
}

connection_mark::~connection_mark() {
  auto& up = known();
  const std::lock_guard guard{up.mutex};
  if (const auto found = up.ports.find(local_port_); found != up.ports.end())
    up.ports.erase(found);
}

} // namespace harmony::nats
