// How a connection is made, or refused: log-in, handshake, permissions.
#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "beds.hpp"
#include "identity/nkey.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr auto desired = bucket::desired_state;

/// Something on a port that is no NATS server: it takes connections, says one of `greetings` to
/// each, the last one to all that follow, and goes silent.
class silent_peer {
public:
  explicit silent_peer(std::vector<std::string> greetings) : greetings_(std::move(greetings)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd_, any, size) == 0);
    REQUIRE(::getsockname(fd_, any, &size) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~silent_peer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
    for (const int peer : peers_)
      ::close(peer);
  }
  silent_peer(const silent_peer&) = delete;
  silent_peer& operator=(const silent_peer&) = delete;

  [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  mailbox<int>& came() { return came_; }

private:
  void serve() {
    for (;;) {
      const int peer = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0)
        return;
      const auto& greeting = greetings_.at(std::min(peers_.size(), greetings_.size() - 1));
      (void)::send(peer, greeting.data(), greeting.size(), MSG_NOSIGNAL);
      peers_.push_back(peer);
      came_.put(peer);
    }
  }

  std::vector<std::string> greetings_;
  int fd_ = -1;
  int port_ = 0;
  std::vector<int> peers_; // only the thread's, until it is joined
  mailbox<int> came_;
  std::thread thread_;
};

constexpr const char* info_line =
  "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"proto\":1,\"host\":\"127.0.0.1\","
  "\"port\":4222,\"headers\":true,\"max_payload\":1048576}\r\n";

std::string challenge(const std::string& nonce) {
  return "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"proto\":1,\"host\":\"127.0.0.1\","
         "\"port\":4222,\"auth_required\":true,\"nonce\":\""
         + nonce + "\",\"max_payload\":1048576}\r\n";
}

/// A challenge whose signature begins with a zero byte, or not.
std::string nonce_for(const nkey_pair& key, bool zero) {
  for (int i = 0;; ++i)
    if (auto nonce = "nonce" + std::to_string(i); (key.sign(nonce)->front() == 0) == zero)
      return nonce;
}

/// What is sent to `peer`: a line, or nothing before the other side hangs up.
std::string line_from(int peer) {
  std::string line;
  for (char c = 0; line.find('\n') == std::string::npos && ::recv(peer, &c, 1, 0) == 1;)
    line += c;
  return line;
}

} // namespace

TEST_CASE(
  "nats: signature that the client library would leave out -> asked for another challenge") {
  const auto key = std::make_shared<const nkey_pair>(nkey_pair::make(nkey_kind::user));
  silent_peer peer{{challenge(nonce_for(*key, true)), challenge(nonce_for(*key, false))}};
  store_options who;
  who.url = peer.url();
  who.as = [key] { return login{{}, key}; };
  const auto s = open_store(who);
  REQUIRE(s);
  int came = -1;
  const auto any = [&](int it) {
    came = it;
    return true;
  };
  REQUIRE(peer.came().take_until(any));
  CHECK(line_from(came).empty());
  REQUIRE(peer.came().take_until(any));
  CHECK(line_from(came).find("\"sig\":\"") != std::string::npos);
}

TEST_CASE("nats: log-in refused again and again, then allowed -> connected, listeners and all") {
  const std::string closed_to_us = "authorization { users = [ { user: agent, password: other } ] }";
  const std::string open_to_us = "authorization { users = [ { user: agent, password: right } ] }";
  nats_server server{closed_to_us};
  const auto s = open_url(server.url("agent", "right"));
  states state{*s};
  hints seen;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(state.says(false, "127.0.0.1"));
  // The client library itself gives up after two: wait until the server refused more than that.
  const auto refusals = [&] {
    const auto text = server.log();
    std::size_t count = 0;
    for (auto at = text.find("authentication error"); at != std::string::npos;
         at = text.find("authentication error", at + 1))
      ++count;
    return count;
  };
  const auto until = steady_clock::now() + patience;
  while (refusals() < 4 && steady_clock::now() < until)
    std::this_thread::yield();
  REQUIRE(refusals() >= 4);
  const auto denied = s->get(desired, "pi-1", ample);
  CHECK(code_of(denied) == ec::store_denied);
  CHECK(denied.error().message.find("right") == std::string::npos); // no password in messages

  server.reload(open_to_us);
  REQUIRE(state.reaches(true));
  REQUIRE(seen.covers(""));
  REQUIRE(s->prepare(ample));

  server.reload(closed_to_us); // ends the connection of a user that changed
  REQUIRE(state.reaches(false));
  server.reload(open_to_us);
  REQUIRE(state.reaches(true));
  REQUIRE(s->put(desired, "pi-1", "one", 0, ample));
  REQUIRE(seen.shows(*s, desired, "pi-1", "one"));
}

TEST_CASE("nats: handshake that hangs -> calls fail at once, close is quick, the next one works") {
  const auto greeting =
    GENERATE(as<std::string>{}, info_line, "", "HTTP/1.1 400 Bad Request\r\n\r\n");
  silent_peer peer{{greeting}};
  nats_server server;

  const auto start = steady_clock::now();
  auto s = open_url(peer.url());
  CHECK(since(start) < milliseconds{500});
  REQUIRE(peer.came().take_until([](int) { return true; }));
  const auto calling = steady_clock::now();
  CHECK(code_of(s->get(desired, "pi-1", ample)) == ec::store_unavailable);
  CHECK(code_of(s->beat("pi-1", "x")) == ec::store_unavailable);
  CHECK(since(calling) < milliseconds{500});

  SECTION("closed meanwhile -> bounded") {
    const auto closing = steady_clock::now();
    s->close();
    s.reset();
    CHECK(since(closing) < milliseconds{2500});
  }
  SECTION("another server in the list -> reached in the end") {
    const auto both = open_url(peer.url() + "," + server.url());
    states state{*both};
    CHECK(state.reaches(true));
  }
  SECTION("the attempt is given up -> it tries again") {
    CHECK(peer.came().take_until([](int) { return true; }));
  }
}

TEST_CASE("nats: not permitted -> store_denied at once, the rest works") {
  nats_server server{
    "authorization { users = [ { user: op, password: op }, { user: pi, password: pi, permissions: "
    "{ publish: { deny: [\"$KV.desired-state.>\", \"$JS.API.DIRECT.GET.KV_device-info.>\"] }, "
    "subscribe: { deny: [\"info-evt.>\"] } } } ] }"};
  const auto op = open_connected(server.url("op", "op"));
  REQUIRE(op->prepare(ample));
  const auto s = open_connected(server.url("pi", "pi"));
  const auto start = steady_clock::now();
  CHECK(code_of(s->put(desired, "pi-1", "x", 0, patience)) == ec::store_denied);
  CHECK(code_of(s->get(bucket::device_info, "pi-1", patience)) == ec::store_denied);
  CHECK(since(start) < milliseconds{5000});
  CHECK(s->put(bucket::actual_state, "pi-1", "x", 0, ample));
  CHECK_FALSE(s->get(desired, "pi-1", ample).value());

  states state{*s};
  const auto watching = s->watch(bucket::device_info, "pi-1", [](const auto&) {});
  REQUIRE(watching);
  CHECK(state.says(true, "info-evt.pi-1"));
}

TEST_CASE("nats: inbox not permitted -> store_denied; with the right prefix all works") {
  nats_server server{
    "authorization { users = [ { user: op, password: op }, { user: pi, password: pi, permissions: "
    "{ publish: \">\", subscribe: [\"_INBOX.pi-1.>\", \"desired-evt.pi-1\"] } } ] }"};
  const auto op = open_connected(server.url("op", "op"));
  REQUIRE(op->prepare(ample));
  store_options options;
  options.url = server.url("pi", "pi");
  {
    auto opened = open_store(options);
    REQUIRE(opened);
    REQUIRE(states{**opened}.reaches(true));
    CHECK(code_of((*opened)->get(desired, "pi-1", patience)) == ec::store_denied);
    CHECK(code_of((*opened)->get(desired, "pi-1", patience)) == ec::store_denied);
  }
  options.inbox_prefix = "_INBOX.pi-1";
  auto opened = open_store(options);
  REQUIRE(opened);
  REQUIRE(states{**opened}.reaches(true));
  CHECK((*opened)->put(desired, "pi-1", "x", 0, ample));
}

} // namespace harmony::test
