// What only a server that fails can show.
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr auto desired = bucket::desired_state;

template <class T>
ec code_of(const outcome<T>& what) {
  return what.ok() ? ec::internal : what.error().code;
}

std::unique_ptr<store> open_url(const std::string& url) {
  store_options options;
  options.url = url;
  auto opened = open_store(options);
  REQUIRE(opened);
  return std::move(*opened);
}

milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

/// Something on a port that is no NATS server: it takes connections, says `greeting` and goes
/// silent.
class silent_peer {
public:
  explicit silent_peer(std::string greeting) : greeting_(std::move(greeting)) {
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
      (void)::send(peer, greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
      peers_.push_back(peer);
      came_.put(peer);
    }
  }

  std::string greeting_;
  int fd_ = -1;
  int port_ = 0;
  std::vector<int> peers_; // only the thread's, until it is joined
  mailbox<int> came_;
  std::thread thread_;
};

constexpr const char* info_line =
  "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"proto\":1,\"host\":\"127.0.0.1\","
  "\"port\":4222,\"headers\":true,\"max_payload\":1048576}\r\n";

} // namespace

TEST_CASE("nats: server not there at first -> unavailable at once, connected when it comes") {
  nats_server server{nats_server::later{}};
  const auto s = open_url(server.url());
  states state{*s};
  hints seen;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(state.says(false, server.url()));
  const auto start = steady_clock::now();
  CHECK(code_of(s->get(desired, "pi-1", ample)) == ec::store_unavailable);
  CHECK(code_of(s->put(desired, "pi-1", "x", 0, ample)) == ec::store_unavailable);
  CHECK(code_of(s->beat("pi-1", "x")) == ec::store_unavailable);
  CHECK(since(start) < milliseconds{1000});

  server.start();
  REQUIRE(state.reaches(true));
  REQUIRE(seen.covers(""));
  REQUIRE(s->prepare(ample));
  REQUIRE(s->put(desired, "pi-1", "x", 0, ample));
  REQUIRE(seen.names("pi-1"));
}

TEST_CASE("nats: server killed and back on the same data -> state, a hint, and all works again") {
  prepared<nats_bed> unused; // another server stays up: nothing is shared between the two
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  const auto revision = s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(revision);
  hints seen;
  hints beats;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  const auto beating = s->watch_beats(beats.sink());
  REQUIRE((watching && beating));
  REQUIRE(seen.covers(""));
  REQUIRE(beats.covers(""));
  for (int i = 0; i < 3; ++i) {
    states state{*s};
    REQUIRE(state.reaches(true));
    seen.box().clear();
    beats.box().clear();
    server.kill();
    REQUIRE(state.reaches(false));
    CHECK(code_of(s->get(desired, "pi-1", ample)) == ec::store_unavailable);
    CHECK(code_of(s->beat("pi-1", "lost")) == ec::store_unavailable);
    server.start();
    REQUIRE(state.reaches(true));
    REQUIRE(seen.covers(""));
    REQUIRE(beats.covers(""));
    CHECK(s->get(desired, "pi-1", ample).value()->value == "one");
    CHECK_FALSE(s->last_beat("pi-1", ample).value()); // kept in memory only, and none was buffered
  }
  REQUIRE(s->put(desired, "pi-1", "two", *revision, ample));
  REQUIRE(seen.names("pi-1"));
  REQUIRE(s->beat("pi-1", "x"));
  REQUIRE(beats.names("pi-1"));
}

TEST_CASE("nats: call under way when the server dies -> ends at once, not at its timeout") {
  prepared<nats_bed> bed;
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  server.freeze();
  mailbox<ec> ended;
  std::thread caller{[&] { ended.put(code_of(s->get(desired, "pi-1", std::chrono::minutes{5}))); }};
  server.kill();
  CHECK(ended.take_until([](ec code) { return code == ec::store_unavailable; }));
  caller.join();
}

TEST_CASE("nats: frozen server -> calls time out, each by itself; thawed -> all works again") {
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  const auto first = s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(first);
  server.freeze();
  mailbox<ec> slow;
  std::thread patient{[&] { slow.put(code_of(s->get(desired, "pi-1", milliseconds{3000}))); }};
  for (int i = 0; i < 3; ++i) {
    const auto start = steady_clock::now();
    CHECK(code_of(s->get(desired, "pi-1", milliseconds{100})) == ec::timed_out);
    CHECK(since(start) < milliseconds{1000});
  }
  // Far more than the socket takes: its writers wait, and nobody waits longer than asked.
  const std::string large(1'000'000, 'x');
  std::vector<std::thread> writers;
  writers.reserve(8);
  std::atomic<int> in_time = 0;
  for (int i = 0; i < 8; ++i)
    writers.emplace_back([&, i] {
      const auto start = steady_clock::now();
      const auto done =
        s->put(desired, "pi-" + std::to_string(10 + i), large, 0, milliseconds{300});
      if (!done && since(start) < milliseconds{1500})
        ++in_time;
    });
  for (auto& writer : writers)
    writer.join();
  CHECK(in_time == 8);
  const auto start = steady_clock::now();
  (void)s->beat("pi-1", "x");
  CHECK(since(start) < milliseconds{1500});
  CHECK(slow.take_until([](ec code) { return code != ec::internal; }));
  patient.join();

  server.thaw();
  // The connection may have been given up meanwhile; then a new one comes.
  hints seen;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  states state{*s};
  REQUIRE(state.reaches(true));
  CHECK(s->get(desired, "pi-1", ample).value()->value == "one");
}

TEST_CASE("nats: write timed out, then asked for again -> its own write is recognised") {
  nats_server server;
  const auto s = open_connected(server.url());
  const auto other = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  const auto first = s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(first);

  // The server takes it once it thaws: the write happens although its caller was told "timed out".
  hints seen;
  const auto watching = other->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  server.freeze();
  REQUIRE(code_of(s->put(desired, "pi-1", "two", *first, milliseconds{200})) == ec::timed_out);
  server.thaw();
  REQUIRE(seen.names("pi-1"));
  const auto stored = other->get(desired, "pi-1", ample);
  REQUIRE(stored.value()->value == "two");

  SECTION("by the same client with the same arguments -> success, written once") {
    const auto again = s->put(desired, "pi-1", "two", *first, ample);
    REQUIRE(again);
    CHECK(*again == stored.value()->revision);
    CHECK(other->get(desired, "pi-1", ample).value()->revision == *again);
    // From then on it is a write like any other.
    CHECK(code_of(s->put(desired, "pi-1", "two", *first, ample)) == ec::conflict);
  }
  SECTION("by another client -> conflict: it was not its write") {
    CHECK(code_of(other->put(desired, "pi-1", "two", *first, ample)) == ec::conflict);
  }
  SECTION("with another value -> conflict") {
    CHECK(code_of(s->put(desired, "pi-1", "three", *first, ample)) == ec::conflict);
  }
  SECTION("after somebody else wrote -> success with the revision that it had") {
    REQUIRE(other->put(desired, "pi-1", "three", stored.value()->revision, ample));
    const auto again = s->put(desired, "pi-1", "two", *first, ample);
    REQUIRE(again);
    CHECK(*again == stored.value()->revision);
    CHECK(other->get(desired, "pi-1", ample).value()->value == "three");
  }
}

TEST_CASE("nats: deletion timed out, then asked for again -> recognised too") {
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  const auto first = s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(first);
  server.freeze();
  REQUIRE(code_of(s->remove(desired, "pi-1", *first, milliseconds{200})) == ec::timed_out);
  server.thaw();
  CHECK(s->remove(desired, "pi-1", *first, ample));
  CHECK_FALSE(s->get(desired, "pi-1", ample).value());
}

TEST_CASE("nats: connection lost during a write -> sent again on the next one") {
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  const auto first = s->put(desired, "pi-1", "one", 0, ample);
  REQUIRE(first);
  states state{*s};
  server.freeze();
  mailbox<bool> written;
  std::thread writer{[&] { written.put(s->put(desired, "pi-1", "two", *first, patience).ok()); }};
  // The frozen server has it in its socket at most; killed, it never writes it.
  server.kill();
  REQUIRE(state.reaches(false));
  server.start();
  CHECK(written.take_until([](bool ok) { return ok; }));
  writer.join();
  CHECK(s->get(desired, "pi-1", ample).value()->value == "two");
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
  silent_peer peer{greeting};
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

TEST_CASE("nats: bucket wiped and made anew -> the watch goes on") {
  nats_server server;
  const auto s = open_connected(server.url());
  REQUIRE(s->prepare(ample));
  hints seen;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  REQUIRE(s->put(desired, "pi-1", "one", 0, ample));
  REQUIRE(seen.names("pi-1"));
  states state{*s};
  REQUIRE(state.reaches(true));
  server.kill();
  server.wipe();
  REQUIRE(state.reaches(false));
  server.start();
  REQUIRE(state.reaches(true));
  CHECK(code_of(s->get(desired, "pi-1", ample)) == ec::bucket_not_found);
  REQUIRE(s->prepare(ample));
  REQUIRE(s->put(desired, "pi-1", "two", 0, ample));
  REQUIRE(seen.shows(*s, desired, "pi-1", "two"));
}

} // namespace harmony::test
