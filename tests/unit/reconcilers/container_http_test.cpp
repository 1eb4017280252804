// The HTTP client against servers that misbehave.

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "topology/http_client.hpp"
#include "topology/podman_client.hpp"
#include "unit/reconcilers/unix_server.hpp"

namespace harmony {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

http_request get(const std::string& target = "/x") {
  http_request ask;
  ask.method = "GET";
  ask.target = target;
  return ask;
}

outcome<http_response> call(const bad_server& server, const http_request& ask,
                            const call_limits& limits = {}) {
  return http_call(server.socket(), ask, limits, "podman", "start it");
}

} // namespace

TEST_CASE("http client: the server answers -> status and body") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
  }};
  const auto answer = call(server, get());
  REQUIRE(answer);
  CHECK(answer->status == 404);
  CHECK(answer->body == "gone");
}

TEST_CASE("http client: an answer without a body -> its status") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 204 No Content\r\n\r\n");
  }};
  const auto answer = call(server, get());
  REQUIRE(answer);
  CHECK(answer->status == 204);
}

TEST_CASE("http client: an answer without a length, cut off -> not taken for a whole one") {
  std::stop_source stop;
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\n\r\nhalf an ans");
    bad_server::until_gone(c);
  }};
  auto ask = get();
  ask.streamed = true;
  SECTION("by the deadline") {
    const auto answer = call(server, ask, {{}, clock::now() + 100ms});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ec::timed_out);
  }
  SECTION("by its caller") {
    ask.piece = [&stop](std::string_view) {
      stop.request_stop();
      return true;
    };
    const auto answer = call(server, ask, {stop.get_token(), clock::now() + 30s});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ec::canceled);
  }
}

TEST_CASE("http client: the server is silent -> timed_out at the deadline") {
  const bad_server server{bad_server::until_gone};
  const auto begun = clock::now();
  const auto answer = call(server, get(), {{}, begun + 100ms});
  const auto took = clock::now() - begun;
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::timed_out);
  CHECK(answer.error().message.find("GET /x") != std::string::npos);
  CHECK(took >= 100ms);
  CHECK(took < 1s);
}

TEST_CASE("http client: an answer that trickles for ever -> timed_out at the deadline") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (::send(c, "1\r\n.\r\n", 6, MSG_NOSIGNAL) == 6)
      std::this_thread::sleep_for(10ms);
  }};
  auto ask = get();
  ask.streamed = true;
  const auto begun = clock::now();
  const auto answer = call(server, ask, {{}, begun + 150ms});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::timed_out);
  CHECK(clock::now() - begun < 1s);
}

TEST_CASE("http client: canceled before, at once after and long after the start -> canceled") {
  const bad_server server{bad_server::until_gone};
  const auto delay = GENERATE(-1ms, 0ms, 1ms, 50ms);
  std::stop_source stop;
  if (delay < 0ms)
    stop.request_stop();
  std::thread canceler{[&] {
    std::this_thread::sleep_for(delay);
    stop.request_stop();
  }};
  const auto begun = clock::now();
  const auto answer = call(server, get(), {stop.get_token(), begun + 1h});
  const auto took = clock::now() - begun;
  canceler.join();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::canceled);
  CHECK(took < 1s);
  if (delay < 0ms)
    CHECK(server.connections == 0);
}

TEST_CASE("http client: closed without an answer -> repeated once if that is allowed") {
  const bad_server server{take_request};
  auto ask = get();
  ask.repeatable = GENERATE(true, false);
  const auto answer = call(server, ask);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::runtime_unavailable);
  CHECK(server.connections == (ask.repeatable ? 2 : 1));
}

TEST_CASE("http client: closed once, then answered -> the answer") {
  std::atomic<int> seen = 0;
  const bad_server server{[&](int c) {
    take_request(c);
    if (seen++ > 0)
      bad_server::say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  const auto answer = call(server, get());
  REQUIRE(answer);
  CHECK(answer->body == "ok");
}

TEST_CASE("http client: closed within the answer -> runtime_unavailable, not repeated") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  }};
  const auto answer = call(server, get());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::runtime_unavailable);
  CHECK(server.connections == 1);
}

TEST_CASE("http client: closed while a big request is written -> no SIGPIPE") {
  // A fatal signal would end the test here.
  REQUIRE(std::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  const bad_server server{[](int) {}};
  auto ask = get();
  ask.method = "POST";
  ask.json.assign(std::size_t{4} << 20, ' ');
  const auto answer = call(server, ask, {{}, clock::now() + 10s});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::runtime_unavailable);
}

TEST_CASE("http client: an answer over the limit -> refused, not collected") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    const std::string block(std::size_t{1} << 20, 'x');
    while (::send(c, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  }};
  CHECK_FALSE(call(server, get(), {{}, clock::now() + 20s}));
}

TEST_CASE("http client: rubbish instead of HTTP -> runtime_unavailable") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "SSH-2.0-OpenSSH\r\n\r\n");
  }};
  const auto answer = call(server, get(), {{}, clock::now() + 10s});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::runtime_unavailable);
}

TEST_CASE("podman client: answers that are not podman's -> a failure, no exception") {
  const bad_server server{[](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html/>");
  }};
  podman_client client{server.socket()};
  CHECK_FALSE(client.inspect("x", {}));
  CHECK_FALSE(client.create("x", {}, {}, {}));
  CHECK_FALSE(client.image("x", {}));
  CHECK_FALSE(client.pull("x", {}));
  CHECK_FALSE(client.list("a=b", {}));
  CHECK(client.last_words("x", 5, 512, {})->empty());
  CHECK(client
          .events(
            "a=b", [] {}, [](const container_event&) {}, {})
          .error()
          .code
        == ec::runtime_unavailable);
}

TEST_CASE("podman client: a creation is interrupted after it was sent -> its answer is awaited") {
  std::stop_source stop;
  const bad_server server{[&](int c) {
    take_request(c);
    stop.request_stop();
    bad_server::say(c, "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{\"Id\":\"abc\"}");
  }};
  podman_client client{server.socket()};
  const auto id = client.create("x", {}, {}, {stop.get_token(), clock::now() + 10s});
  REQUIRE(id.ok());
  CHECK(*id == "abc");
  CHECK(client.create("x", {}, {}, {stop.get_token(), clock::now() + 10s}).error().code
        == ec::canceled);
  CHECK(server.connections == 1);
}

TEST_CASE("podman client: events cut at any byte -> each event once") {
  const std::string line =
    R"({"Type":"container","Action":"died","Actor":{"Attributes":{"name":"harmony-x"}}})"
    "\n";
  const bad_server server{[&](int c) {
    take_request(c);
    bad_server::say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto lines = line + line;
    for (const char byte : lines)
      bad_server::say(c, std::string{"1\r\n"} + byte + "\r\n");
    bad_server::say(c, "0\r\n\r\n");
  }};
  podman_client client{server.socket()};
  int opened = 0;
  std::vector<container_event> seen;
  const auto ended = client.events(
    "a=b", [&] { ++opened; }, [&](const container_event& e) { seen.push_back(e); }, {});
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == ec::runtime_unavailable);
  CHECK(opened == 1);
  CHECK(seen == std::vector<container_event>(2, {"harmony-x", "died"}));
}

} // namespace harmony
