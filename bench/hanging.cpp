#include "hanging.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.hpp"

namespace harmony::bench {

namespace {

/// Connections that the kernel makes before anybody accepts them.
constexpr int backlog = 4096;

// The functions of sockets take every address as a sockaddr.
template <class Address>
sockaddr* plain(Address& a) {
  return reinterpret_cast<sockaddr*>(&a); // NOLINT
}

} // namespace

silent_server::silent_server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  need(::bind(fd_, plain(any), sizeof any) == 0 && ::listen(fd_, backlog) == 0,
       "listening on the loopback");
}

silent_server::~silent_server() {
  ::close(fd_);
}

std::string silent_server::address() const {
  sockaddr_in mine{};
  socklen_t size = sizeof mine;
  need(::getsockname(fd_, plain(mine), &size) == 0, "asking for the port");
  return "127.0.0.1:" + std::to_string(ntohs(mine.sin_port));
}

std::string hanging_kind::one(const std::string& json, const std::string& name) {
  std::string result;
  for (const char c : json)
    result += c == '%' ? name : std::string(1, c);
  return result;
}

std::vector<std::string> hanging_kind::many(const std::string& json, const std::string& prefix,
                                            int count) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.push_back(one(json, prefix + std::to_string(i)));
  return all;
}

hanging_kind hanging_units() {
  return {"SystemdUnit", "units that never say they are ready", unit_json("%"),
          unit_json("%", "[Service]\nType=notify\nTimeoutStartSec=infinity\n"
                         "ExecStart=/bin/sleep infinity\n")};
}

hanging_kind hanging_files(const std::string& site, const silent_server& server) {
  return {"File", "files from a server that never answers", file_json("%", site + "/%", "x"),
          R"({"kind":"File","name":"%","spec":{"path":")" + site + R"(/%","source":{"url":"http://)"
            + server.address() + R"(/%","sha256":")" + std::string(64, 'a') + R"("}}})"};
}

hanging_kind hanging_containers(const silent_server& server) {
  return {"Container", "containers from a registry that never answers", container_json("%"),
          R"({"kind":"Container","name":"%","spec":{"image":")" + server.address()
            + R"(/%:1","network":"none"}})"};
}

} // namespace harmony::bench
