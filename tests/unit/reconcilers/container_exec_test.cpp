// Commands in a container, against a podman that the test plays.

#include <chrono>
#include <mutex>

#include "topology/podman_client.hpp"
#include "unit/reconcilers/unix_server.hpp"

namespace harmony {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using ending = process_result::ending;

std::string json_answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status)
         + " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string frame(const std::string& text) {
  return std::string{"\1\0\0\0\0\0\0", 7} + static_cast<char>(text.size()) + text;
}

const std::string stream_head =
  "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

/// Answers in the order of a command's life; each part can be made to go wrong.
struct played_podman {
  std::string created = json_answer(201, R"({"Id":"s1"})");
  std::string started = stream_head + frame("hello\n") + frame("more");
  bool ends = true;             ///< whether the stream ends after `started`
  int looks_until_it_ended = 0; ///< what follows the stream's end
  std::string looked = json_answer(200, R"({"Running":false,"Pid":0,"ExitCode":3})");
  bool hangs_when_looked_at = false;
  std::vector<std::string> asked = {}; ///< "POST /exec/s1/start"

  void operator()(int connection) {
    const auto head = take_request(connection);
    auto line = head.substr(0, head.find(" HTTP/"));
    if (const auto api = line.find("/v4.0.0/libpod"); api != std::string::npos)
      line.erase(api, 14);
    asked.push_back(line);
    if (line == "POST /containers/harmony-app/exec") {
      bad_server::say(connection, created);
    } else if (line == "POST /exec/s1/start") {
      bad_server::say(connection, started);
      if (!ends)
        bad_server::until_gone(connection);
    } else if (line == "GET /exec/s1/json") {
      if (hangs_when_looked_at)
        bad_server::until_gone(connection);
      const bool running = looks_until_it_ended-- > 0;
      bad_server::say(connection, running
                                    ? json_answer(200, R"({"Running":true,"Pid":0,"ExitCode":0})")
                                    : looked);
    } else {
      bad_server::say(connection, json_answer(404, R"({"message":"no such container"})"));
    }
  }
};

outcome<process_result> run(played_podman& podman, clock::duration limit = 30s,
                            std::stop_token cancel = {}) {
  const bad_server server{[&podman](int c) { podman(c); }};
  podman_client client{server.socket()};
  return client.exec("harmony-app", {"/bin/check"}, 200, {std::move(cancel), clock::now() + limit});
}

} // namespace

TEST_CASE("podman exec: a command that ends -> its status and the beginning of its output") {
  played_podman podman;
  const auto result = run(podman);
  REQUIRE(result);
  CHECK(result->how == ending::exited);
  CHECK(result->number == 3);
  CHECK(result->output == "hello\nmore");
  CHECK(podman.asked
        == std::vector<std::string>{"POST /containers/harmony-app/exec", "POST /exec/s1/start",
                                    "GET /exec/s1/json"});
}

TEST_CASE("podman exec: a flood of output -> bounded") {
  played_podman podman;
  for (int i = 0; i < 10'000; ++i)
    podman.started += frame(std::string(100, 'x'));
  const auto result = run(podman);
  REQUIRE(result);
  CHECK(result->output.size() == 200);
}

TEST_CASE("podman exec: its output ends before podman knows its status -> asked again") {
  played_podman podman;
  podman.looks_until_it_ended = 5;
  const auto result = run(podman);
  REQUIRE(result);
  CHECK(result->number == 3);
  CHECK(podman.asked.size() == 8);
}

TEST_CASE("podman exec: it does not end -> timed out, podman asked for what to kill") {
  played_podman podman;
  SECTION("it says nothing more") {
    podman.ends = false;
  }
  SECTION("it has closed its output") {
    podman.looks_until_it_ended = 1'000'000;
  }
  const auto begin = clock::now();
  const auto result = run(podman, 200ms);
  CHECK(clock::now() - begin < 10s);
  REQUIRE(result);
  CHECK(result->how == ending::timed_out);
  CHECK(result->output == "hello\nmore");
  CHECK(podman.asked.back() != "POST /exec/s1/start");
}

TEST_CASE("podman exec: interrupted -> canceled") {
  played_podman podman;
  podman.ends = false;
  std::stop_source stop;
  const bad_server server{[&podman](int c) { podman(c); }};
  podman_client client{server.socket()};
  // The request to start is on its way when the test stops it.
  std::thread canceler{[&] {
    while (server.connections < 2)
      std::this_thread::yield();
    stop.request_stop();
  }};
  const auto result =
    client.exec("harmony-app", {"/bin/check"}, 200, {stop.get_token(), clock::now() + 30s});
  canceler.join();
  REQUIRE(result);
  CHECK(result->how == ending::canceled);
}

TEST_CASE("podman exec: podman does not come to start it -> an error, nothing of the command") {
  played_podman podman;
  SECTION("silent") {
    podman.started.clear();
    podman.ends = false;
    const auto result = run(podman, 200ms);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ec::timed_out);
  }
  SECTION("no such container") {
    podman.created = json_answer(404, R"({"message":"no such container"})");
    const auto result = run(podman);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ec::not_found);
    CHECK(podman.asked.size() == 1);
  }
  SECTION("the container does not run") {
    podman.created = json_answer(500, R"({"message":"can only create exec sessions on running )"
                                      R"(containers: container state improper"})");
    const auto result = run(podman);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ec::container_failed);
    CHECK(result.error().message.find("'harmony-app'") != std::string::npos);
  }
  SECTION("an answer that is not understood") {
    podman.created = json_answer(201, "{}");
    const auto result = run(podman);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ec::runtime_unavailable);
  }
  SECTION("silent once it ended") {
    podman.looked.clear();
    podman.hangs_when_looked_at = true;
    const auto result = run(podman, 200ms);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ec::timed_out);
  }
  SECTION("the session is gone") {
    podman.looked = json_answer(404, R"({"message":"no such exec session"})");
    REQUIRE_FALSE(run(podman));
  }
}

} // namespace harmony
