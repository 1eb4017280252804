// HTTP checks against a real socket.

#include <unistd.h>

#include <future>

#include "support/catch.hpp"
#include "unit/topology/local_server.hpp"
#include "unit/topology/on_device.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using Catch::Matchers::Contains;

outcome<probe_result> get(std::uint16_t port, const std::string& path = "/",
                          clock::duration limit = 30s, const std::stop_token& cancel = {}) {
  probe p;
  p.check = http_probe{"127.0.0.1", port, path};
  p.timeout = 30;
  return on_device(p, cancel, clock::now() + limit);
}

std::string answer(int status, const std::string& more = "Content-Length: 0\r\n") {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + more + "\r\n";
}

TEST_CASE("probe runner: http -> 200 to 399 is success, anything else failure") {
  for (const int status : {200, 204, 301, 302, 399, 400, 404, 500, 503}) {
    const local_server server{[status](int fd, const auto&) {
      read_request(fd);
      send_text(fd, answer(status, "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"));
    }};
    const auto result = get(server.port());
    INFO("status " << status);
    REQUIRE(result.ok());
    CHECK(result->ok == (status < 400));
    if (status >= 400)
      CHECK_THAT(result->message, Contains("answered " + std::to_string(status)));
  }
}

TEST_CASE("probe runner: http -> asks for the path as it is written") {
  std::promise<std::string> asked;
  const local_server server{[&](int fd, const auto&) {
    asked.set_value(read_request(fd));
    send_text(fd, answer(200));
  }};
  REQUIRE(get(server.port(), "/healthz?deep=1&x=%20y").ok());
  const auto request = asked.get_future().get();
  CHECK(request.substr(0, request.find('\r')) == "GET /healthz?deep=1&x=%20y HTTP/1.1");
  CHECK_THAT(request, Contains("Host: 127.0.0.1:" + std::to_string(server.port())));
}

TEST_CASE("probe runner: http, nobody listens -> failed") {
  std::uint16_t port = 0;
  const int closed = bound_socket(port);
  const auto result = get(port, "/x");
  REQUIRE(result.ok());
  CHECK_FALSE(result->ok);
  CHECK_THAT(result->message,
             Contains("'http://127.0.0.1:" + std::to_string(port) + "/x' cannot be connected to"));
  ::close(closed);
}

TEST_CASE("probe runner: http, the answer is not HTTP -> failed") {
  const local_server server{[](int fd, const auto&) {
    read_request(fd);
    send_text(fd, "220 mail.example.org ESMTP\r\n\r\n");
  }};
  const auto result = get(server.port());
  REQUIRE(result.ok());
  CHECK_FALSE(result->ok);
  CHECK_THAT(result->message, Contains("gave no HTTP answer"));
}

TEST_CASE("probe runner: http, the server hangs up -> failed, and no SIGPIPE") {
  const local_server server{[](int, const auto&) {}};
  for (int i = 0; i < 50; ++i) {
    const auto result = get(server.port());
    REQUIRE(result.ok());
    CHECK_FALSE(result->ok);
  }
}

TEST_CASE("probe runner: http, the server is silent or trickles -> failed when the time is over") {
  const auto trickle = GENERATE(false, true);
  const local_server server{[trickle](int fd, const auto& ended) {
    read_request(fd);
    if (trickle)
      send_text(fd, "HTTP/1.1 200 OK\r\nX: ");
    while (!ended(10))
      if (trickle && !send_text(fd, "x"))
        return;
  }};
  const auto begin = clock::now();
  const auto result = get(server.port(), "/", 300ms);
  CHECK(clock::now() - begin < 10s);
  REQUIRE(result.ok());
  CHECK_FALSE(result->ok);
  CHECK_THAT(result->message, Contains("did not answer in time"));
}

TEST_CASE("probe runner: http, the body never ends -> the status is enough") {
  const local_server server{[](int fd, const auto& ended) {
    read_request(fd);
    send_text(fd, answer(200, ""));
    while (!ended(0))
      if (!send_text(fd, std::string(4096, 'x')))
        return;
  }};
  const auto result = get(server.port());
  REQUIRE(result.ok());
  CHECK(result->ok);
}

TEST_CASE("probe runner: http, the server is silent -> a cancel ends the wait") {
  local_server server{[](int fd, const auto& ended) {
    read_request(fd);
    while (!ended(1000))
      ;
  }};
  std::stop_source stop;
  auto result =
    std::async(std::launch::async, [&] { return get(server.port(), "/", 30s, stop.get_token()); });
  server.await_connection();
  const auto asked = clock::now();
  stop.request_stop();
  const auto outcome = result.get();
  CHECK(clock::now() - asked < 5s);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code == ec::canceled);
}

} // namespace

} // namespace harmony::test
