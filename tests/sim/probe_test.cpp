#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/world.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

/// A port of this machine's loopback that refuses connections until it is opened.
class loopback_port {
public:
  loopback_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind_to(address);
    socklen_t size = sizeof address_;
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
  }
  ~loopback_port() { ::close(fd_); }
  loopback_port(const loopback_port&) = delete;
  loopback_port& operator=(const loopback_port&) = delete;

  [[nodiscard]] int number() const { return ntohs(address_.sin_port); }
  void open() { REQUIRE(::listen(fd_, 16) == 0); }
  void close() {
    ::close(fd_);
    bind_to(address_);
  }

private:
  void bind_to(const sockaddr_in& address) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd_ >= 0);
    const int on = 1;
    REQUIRE(::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  int fd_ = -1;
  sockaddr_in address_{};
};

} // namespace

TEST_CASE("agent: a readiness probe -> ready only once it passes, not ready when it stops to") {
  loopback_port port;
  world w;
  w.start();
  w.apply(unit_json("web", R"(,"probes":{"readiness":{"periodSeconds":1,"failureThreshold":1,)"
                           R"("tcp":{"port":)"
                             + std::to_string(port.number()) + "}}}"));
  w.run_for(5s);
  CHECK(w.standing("SystemdUnit/web") == "Probing ProbeFailed");
  CHECK(w.status().phase == agent_phase::converging);
  port.open();
  w.run_for(2s);
  CHECK(w.status().phase == agent_phase::converged);
  port.close();
  w.run_for(3s);
  CHECK(w.standing("SystemdUnit/web") == "Probing ProbeFailed");
  CHECK(w.device.log == log{"apply web.service"});
}

TEST_CASE("agent: a liveness probe fails for good -> restarted, with backoff") {
  loopback_port port;
  world w;
  w.start();
  w.apply(unit_json("web", R"(,"probes":{"liveness":{"periodSeconds":1,"failureThreshold":2,)"
                           R"("tcp":{"port":)"
                             + std::to_string(port.number()) + "}}}"));
  w.run_for(4s);
  REQUIRE(w.device.log.size() >= 2);
  CHECK(w.device.log[1] == "restart web.service");
  const auto soon = w.device.log.size();
  w.run_for(5min);
  CHECK(w.device.log.size() > soon);
  CHECK(w.device.log.size() < 14); // 1 2 4 8 16 32 64 128 s between restarts
}

} // namespace harmony::test
