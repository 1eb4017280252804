// What only a server that fails can show.
#include <atomic>
#include <thread>
#include <vector>

#include "beds.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr auto desired = bucket::desired_state;

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
  REQUIRE(server.has_unread(std::string_view{"PUB $JS.API.DIRECT.GET."}.size()));
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
  // The connection may have been given up meanwhile, or is about to be: then a new one comes, and
  // with it a hint.
  hints seen;
  const auto watching = s->watch(desired, "pi-1", seen.sink());
  REQUIRE(watching);
  CHECK(seen.shows(*s, desired, "pi-1", "one"));
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
  const std::string two(1000, '2');
  server.freeze();
  mailbox<bool> written;
  std::thread writer{[&] { written.put(s->put(desired, "pi-1", two, *first, patience).ok()); }};
  // The frozen server has it in its socket and no further: killed, it never writes it.
  REQUIRE(server.has_unread(two.size()));
  server.kill();
  REQUIRE(state.reaches(false));
  server.start();
  CHECK(written.take_until([](bool ok) { return ok; }));
  writer.join();
  CHECK(s->get(desired, "pi-1", ample).value()->value == two);
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
