#include "support/nats_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

extern char** environ; // NOLINT(readability-redundant-declaration)

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds{10};

std::string binary() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  if (const char* named = std::getenv("NATS_SERVER"); named != nullptr && *named != '\0')
    return named;
  for (const char* place :
       {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"})
    if (::access(place, X_OK) == 0)
      return place;
  return "nats-server";
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A port that was free just now. Ports that the kernel gave out are not given again soon.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, any, size) != 0 || ::getsockname(fd, any, &size) != 0)
    throw std::runtime_error{"no free port"};
  ::close(fd);
  return ntohs(address.sin_port);
}

// Whether a server on `port` greets with INFO.
bool greets(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  std::array<char, 4> greeting{};
  const bool yes = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
                   && ::recv(fd, greeting.data(), greeting.size(), MSG_WAITALL) == 4
                   && greeting[0] == 'I';
  ::close(fd);
  return yes;
}

} // namespace

nats_server::nats_server(std::string extra) : extra_(std::move(extra)), port_(free_port()) {
  start();
}

nats_server::nats_server(everywhere /*tag*/) : host_("0.0.0.0"), port_(free_port()) {
  start();
}

nats_server::nats_server(later /*not yet*/) : port_(free_port()) {}

nats_server::~nats_server() {
  end(SIGKILL);
}

std::string nats_server::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

std::string nats_server::url(const std::string& user, const std::string& password) const {
  return "nats://" + user + ":" + password + "@127.0.0.1:" + std::to_string(port_);
}

std::string nats_server::log() const {
  return read_file(folder_ / "log");
}

void nats_server::write_config() const {
  write_file(folder_ / "server.conf",
             "listen: \"" + host_ + ":" + std::to_string(port_) + "\"\nserver_name: test-"
               + std::to_string(port_)
               + (extra_.find("max_payload") == std::string::npos ? "\nmax_payload: 2MB\n" : "\n")
               + "logfile: \"" + (folder_ / "log").string() + "\"\njetstream { store_dir: \""
               + (folder_ / "store").string() + "\" }\n" + extra_ + "\n");
}

void nats_server::start() {
  write_config();
  write_file(folder_ / "log", "");
  auto program = binary();
  std::string flag = "-c";
  auto config = (folder_ / "server.conf").string();
  std::array<char*, 4> arguments{program.data(), flag.data(), config.data(), nullptr};
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const auto output = (folder_ / "output").string();
  ::posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int failed =
    ::posix_spawnp(&pid_, program.c_str(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    pid_ = 0;
    throw std::runtime_error{"cannot start '" + program + "'; install nats-server"};
  }
  wait_until_ready();
}

// Ready is when it greets and its JetStream is up, which its log says; the log is watched.
void nats_server::wait_until_ready() const {
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  ::inotify_add_watch(watch, (folder_ / "log").c_str(), IN_MODIFY);
  const auto until = steady_clock::now() + patience;
  bool ready = false;
  while (!ready && steady_clock::now() < until && ::kill(pid_, 0) == 0) {
    ready = log().find("Server is ready") != std::string::npos && greets(port_);
    if (ready)
      break;
    pollfd changed{watch, POLLIN, 0};
    ::poll(&changed, 1, 100);
    std::array<char, 4096> events{};
    [[maybe_unused]] const auto size = ::read(watch, events.data(), events.size());
  }
  ::close(watch);
  if (!ready)
    throw std::runtime_error{"nats-server did not come up:\n" + log()
                             + read_file(folder_ / "output")};
}

void nats_server::end(int signal) {
  if (pid_ <= 0)
    return;
  ::kill(pid_, signal);
  ::kill(pid_, SIGCONT); // it may be frozen
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

void nats_server::kill() {
  end(SIGKILL);
}

void nats_server::stop() {
  end(SIGTERM);
}

void nats_server::freeze() {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  ::waitpid(pid_, &status, WUNTRACED); // until it is
}

void nats_server::thaw() {
  ::kill(pid_, SIGCONT);
}

// From the kernel's table: "sl local_address rem_address st tx_queue:rx_queue …", in hexadecimal.
// It cannot be waited on.
bool nats_server::has_unread(std::size_t bytes) const {
  std::array<char, 6> port{};
  std::snprintf(port.data(), port.size(), ":%04X", static_cast<unsigned>(port_));
  const auto until = steady_clock::now() + patience;
  while (steady_clock::now() < until) {
    std::istringstream table{read_file("/proc/net/tcp")};
    std::string line;
    while (std::getline(table, line)) {
      std::istringstream fields{line};
      std::string slot;
      std::string local;
      std::string remote;
      std::string state;
      std::string queues;
      fields >> slot >> local >> remote >> state >> queues;
      if (local.ends_with(port.data()) && state == "01"
          && std::stoul(queues.substr(queues.find(':') + 1), nullptr, 16) >= bytes)
        return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return false;
}

void nats_server::reload(std::string extra) {
  extra_ = std::move(extra);
  write_config();
  const auto marks = [](const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find("Reloaded server configuration"); at != std::string::npos;
         at = text.find("Reloaded server configuration", at + 1))
      ++count;
    return count;
  };
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  ::inotify_add_watch(watch, (folder_ / "log").c_str(), IN_MODIFY);
  const auto before = marks(log());
  ::kill(pid_, SIGHUP);
  const auto until = steady_clock::now() + patience;
  while (marks(log()) == before && steady_clock::now() < until) {
    pollfd changed{watch, POLLIN, 0};
    ::poll(&changed, 1, 100);
    std::array<char, 4096> events{};
    [[maybe_unused]] const auto size = ::read(watch, events.data(), events.size());
  }
  ::close(watch);
  if (marks(log()) == before)
    throw std::runtime_error{"nats-server did not reload:\n" + log()};
}

void nats_server::wipe() {
  std::filesystem::remove_all(folder_ / "store");
}

void nats_server::wipe(const std::string& stream) {
  std::filesystem::remove_all(folder_ / "store" / "jetstream" / "$G" / "streams" / stream);
}

void nats_server::save() {
  std::filesystem::remove_all(folder_ / "saved");
  std::filesystem::copy(folder_ / "store", folder_ / "saved",
                        std::filesystem::copy_options::recursive);
}

void nats_server::restore() {
  wipe();
  std::filesystem::copy(folder_ / "saved", folder_ / "store",
                        std::filesystem::copy_options::recursive);
}

std::string nats_server::program() {
  return binary();
}

int nats_server::unused_port() {
  return free_port();
}

} // namespace harmony::test
