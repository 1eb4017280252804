// The store of a failover cluster, against a real server.
#include <algorithm>
#include <array>
#include <thread>

#include "lease_bed.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using std::chrono::steady_clock;

constexpr const char* lease_subject = "$KV.PGHA_LEASE_orders.lease";

template <class Event>
bool is(const fo::event& e) {
  return std::holds_alternative<Event>(e);
}

} // namespace

TEST_CASE("lease store: new server -> streams made, connected, told that there is no record") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto up = a.take<ev::connected>();
  CHECK(up.connection > 0);
  CHECK(up.server.size() > 20); // its id; one server alone has no leader
  const auto seen = a.take<ev::record_seen>();
  CHECK(seen.connection == up.connection);
  CHECK(seen.sequence == 0);
  CHECK_FALSE(seen.record);

  stranger who{server.url()};
  jsStreamInfo* info = nullptr;
  REQUIRE(js_GetStreamInfo(&info, who.jetstream(), "KV_PGHA_LEASE_orders", nullptr, nullptr)
          == NATS_OK);
  CHECK(info->Config->MaxMsgsPerSubject == 64);
  CHECK(info->Config->MaxAge == 0);
  CHECK(info->Config->Storage == js_FileStorage);
  CHECK((info->Config->DenyDelete && info->Config->DenyPurge));
  CHECK_FALSE((info->Config->AllowDirect || info->Config->AllowRollup));
  jsStreamInfo_Destroy(info);
}

TEST_CASE("lease store: claim, renewal -> each its sequence; another member hears, then reads") {
  nats_server server;
  lease_member a{server.url(), "a"};
  lease_member b{server.url(), "b"};
  const auto on_a = a.take<ev::connected>().connection;
  const auto on_b = b.take<ev::connected>().connection;
  CHECK(on_a != on_b);
  const auto first = a.cas(on_a, 0, record_of("a", 1));
  REQUIRE(is<ev::cas_done>(first));
  CHECK(std::get<ev::cas_done>(first).sequence == 1);
  const auto second = a.cas(on_a, 1, record_of("a", 1, 2));
  REQUIRE(is<ev::cas_done>(second));
  CHECK(std::get<ev::cas_done>(second).sequence == 2);
  const auto seen =
    b.take<ev::record_seen>([](const ev::record_seen& e) { return e.sequence == 2; });
  CHECK(seen.record == record_of("a", 1, 2));
  CHECK(seen.connection == on_b);
  const auto read = b.read(on_b);
  REQUIRE(is<ev::record_read>(read));
  CHECK(std::get<ev::record_read>(read).sequence == 2);
  CHECK(std::get<ev::record_read>(read).record == record_of("a", 1, 2));
  // The old sequence, "none", and one that is yet to come: a clear no, each.
  for (const std::uint64_t expected : {1, 0, 7})
    CHECK(is<ev::cas_wrong_sequence>(b.cas(on_b, expected, record_of("b", 2))));
  CHECK(is<ev::cas_done>(b.cas(on_b, 2, record_of("b", 2))));
}

TEST_CASE("lease store: two members claim at once, 200 rounds -> one winner each") {
  nats_server server;
  lease_member a{server.url(), "a"};
  lease_member b{server.url(), "b"};
  const auto on_a = a.take<ev::connected>().connection;
  const auto on_b = b.take<ev::connected>().connection;
  std::uint64_t sequence = 0;
  for (std::uint64_t round = 1; round <= 200; ++round) {
    fo::event of_b;
    std::thread other{[&] { of_b = b.cas(on_b, sequence, record_of("b", round)); }};
    const auto of_a = a.cas(on_a, sequence, record_of("a", round));
    other.join();
    const bool a_won = is<ev::cas_done>(of_a);
    REQUIRE(a_won != is<ev::cas_done>(of_b));
    REQUIRE(is<ev::cas_wrong_sequence>(a_won ? of_b : of_a));
    sequence = std::get<ev::cas_done>(a_won ? of_a : of_b).sequence;
    REQUIRE(sequence == round);
    const auto read = a.read(on_a);
    REQUIRE(std::get<ev::record_read>(read).record == record_of(a_won ? "a" : "b", round));
  }
}

TEST_CASE("lease store: server killed and back -> a new connection, the old one's requests fail") {
  nats_server server;
  lease_member a{server.url(), "a"};
  lease_member b{server.url(), "b"};
  const auto before = a.take<ev::connected>().connection;
  const auto on_b = b.take<ev::connected>().connection;
  REQUIRE(is<ev::cas_done>(a.cas(before, 0, record_of("a", 1))));
  REQUIRE(is<ev::cas_done>(b.cas(on_b, 1, record_of("b", 2))));
  server.kill();
  a.take<ev::disconnected>();
  CHECK(is<ev::request_failed>(a.cas(before, 2, record_of("a", 3))));
  CHECK(is<ev::request_failed>(a.read(before)));
  server.start();
  const auto after = a.take<ev::connected>().connection;
  CHECK(after > before);
  CHECK(a.take<ev::record_seen>().record == record_of("b", 2));
  // It is up again, and right about the sequence: yet not on that connection.
  CHECK(is<ev::request_failed>(a.cas(before, 2, record_of("a", 3))));
  CHECK(is<ev::cas_wrong_sequence>(a.cas(after, 1, record_of("a", 3))));
  CHECK(is<ev::cas_done>(a.cas(after, 2, record_of("a", 3))));
}

TEST_CASE("lease store: frozen server -> requests fail soon after their time; thawed -> they go") {
  nats_server server;
  fo::timings quick;
  quick.request = milliseconds{300};
  lease_member a{server.url(), "a", quick};
  const auto on = a.take<ev::connected>().connection;
  a.take<ev::record_seen>();
  server.freeze();
  const auto start = steady_clock::now();
  CHECK(is<ev::request_failed>(a.read(on)));
  CHECK(is<ev::request_failed>(a.cas(on, 0, record_of("a", 1))));
  CHECK(since(start) < milliseconds{2000});
  server.thaw();
  // That CAS was given up, and is applied now: "no answer" says nothing.
  a.take<ev::record_seen>([](const ev::record_seen& e) { return e.sequence == 1; });
  CHECK(is<ev::cas_wrong_sequence>(a.cas(on, 0, record_of("a", 1, 2))));
  CHECK(is<ev::cas_done>(a.cas(on, 1, record_of("a", 1, 2))));
}

TEST_CASE("lease store: server back empty -> no record, the old sequence is worth nothing") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto before = a.take<ev::connected>().connection;
  REQUIRE(is<ev::cas_done>(a.cas(before, 0, record_of("a", 1))));
  server.kill();
  server.wipe();
  server.start();
  const auto after = a.take<ev::connected>().connection;
  const auto seen = a.take<ev::record_seen>();
  CHECK(seen.sequence == 0);
  CHECK_FALSE(seen.record);
  CHECK(is<ev::cas_wrong_sequence>(a.cas(after, 1, record_of("a", 1, 2))));
  CHECK(is<ev::cas_done>(a.cas(after, 0, record_of("a", 1, 2))));
}

TEST_CASE("lease store: record deleted or unreadable -> never 'no record', and it is said") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  REQUIRE(is<ev::cas_done>(a.cas(on, 0, record_of("a", 1))));
  stranger who{server.url()};
  SECTION("a mark of deletion") {
    who.put(lease_subject, "", true);
    CHECK(a.says("it was deleted"));
  }
  SECTION("not JSON") {
    who.put(lease_subject, "x");
    CHECK(a.says("cannot be used"));
  }
  SECTION("of a later version") {
    auto text = fo::write(record_of("b", 9));
    text.insert(text.size() - 1, R"(,"more":1)");
    who.put(lease_subject, text);
    CHECK(a.says("more"));
  }
  const auto unreadable = [](const ev::record_seen& e) { return e.sequence == 2 && !e.record; };
  a.take<ev::record_seen>(unreadable);
  const auto read = a.read(on);
  REQUIRE(is<ev::record_read>(read));
  CHECK(std::get<ev::record_read>(read).sequence == 2);
  CHECK_FALSE(std::get<ev::record_read>(read).record);
  lease_member late{server.url(), "b"};
  const auto on_late = late.take<ev::connected>().connection;
  CHECK(late.says("cannot be used"));
  late.take<ev::record_seen>(unreadable);
  CHECK(is<ev::cas_wrong_sequence>(late.cas(on_late, 0, record_of("b", 2))));
  // Who has repaired it by hand is believed.
  who.put(lease_subject, fo::write(record_of("a", 1, 5)));
  late.take<ev::record_seen>([](const auto& e) { return e.record == record_of("a", 1, 5); });
}

TEST_CASE("lease store: the stream of the lease -> nothing in it can be deleted or purged") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  REQUIRE(is<ev::cas_done>(a.cas(on, 0, record_of("a", 1))));
  stranger who{server.url()};
  const char* stream = "KV_PGHA_LEASE_orders";
  CHECK(js_DeleteMsg(who.jetstream(), stream, 1, nullptr, nullptr) != NATS_OK);
  CHECK(js_PurgeStream(who.jetstream(), stream, nullptr, nullptr) != NATS_OK);
  CHECK(std::get<ev::record_read>(a.read(on)).record == record_of("a", 1));
}

TEST_CASE("lease store: record that no reader would take -> not written, and said") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  auto broken = record_of("a", 1);
  broken.reserved = 0;
  CHECK(is<ev::request_failed>(a.cas(on, 0, broken)));
  CHECK(a.says("no such lease record is written"));
  CHECK(is<ev::cas_done>(a.cas(on, 0, record_of("a", 1))));
}

TEST_CASE("lease store: stream of others that forgets -> it is said") {
  nats_server server;
  stranger who{server.url()};
  std::array<const char*, 1> subjects{lease_subject};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = "KV_PGHA_LEASE_orders";
  config.Subjects = subjects.data();
  config.SubjectsLen = 1;
  config.MaxAge = 60'000'000'000;
  REQUIRE(js_AddStream(nullptr, who.jetstream(), &config, nullptr, nullptr) == NATS_OK);
  lease_member a{server.url(), "a"};
  CHECK(a.says("forgets after a time"));
}

TEST_CASE("lease store: server may not be told to make streams -> it is said, and taken up later") {
  nats_server server{R"(authorization { users = [
    { user: operator, password: o },
    { user: a, password: a, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } } ] })"};
  lease_member a{server.url("a", "a"), "a"};
  const auto on = a.take<ev::connected>().connection;
  CHECK(a.says("harmonyctl failover init orders"));
  CHECK(is<ev::request_failed>(a.read(on)));
  CHECK(is<ev::request_failed>(a.cas(on, 0, record_of("a", 1))));
  lease_member maker{server.url("operator", "o"), "b"};
  maker.take<ev::record_seen>();
  CHECK(a.take<ev::record_seen>().sequence == 0);
  CHECK(is<ev::cas_done>(a.cas(on, 0, record_of("a", 1))));
}

TEST_CASE("lease store: silent server, another one -> that one is asked in time") {
  nats_server first;
  nats_server second{nats_server::later{}};
  fo::timings quick;
  quick.request = milliseconds{200};
  lease_member a{first.url() + "," + second.url().substr(std::string_view{"nats://"}.size()), "a",
                 quick};
  const auto up = a.take<ev::connected>();
  a.take<ev::record_seen>();
  second.start();
  first.freeze();
  const auto start = steady_clock::now();
  for (int i = 0; i < 3; ++i)
    CHECK(is<ev::request_failed>(a.read(up.connection)));
  const auto next = a.take<ev::connected>();
  CHECK(next.server != up.server);
  CHECK(since(start) < milliseconds{10'000}); // what the library takes
}

TEST_CASE("lease store: closed -> tells nothing more") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  const auto start = steady_clock::now();
  a.store().close();
  CHECK(since(start) < milliseconds{2000});
  a.events().clear();
  a.store().read({1, on});
  a.store().cas({2, on, 0, record_of("a", 1)});
  a.store().publish(beat_of("a", 1));
  CHECK(a.events().empty());
}

TEST_CASE("lease store: round trip of a CAS", "[.measure]") {
  nats_server server;
  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  constexpr std::uint64_t rounds = 2000;
  std::vector<double> took;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto start = steady_clock::now();
    REQUIRE(is<ev::cas_done>(a.cas(on, i, record_of("a", 1, i + 1))));
    took.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - start).count());
  }
  std::sort(took.begin(), took.end());
  WARN("CAS: median " << took[rounds / 2] << " us, p99 " << took[rounds * 99 / 100] << " us");
}

} // namespace harmony::test
