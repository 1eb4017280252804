// Heartbeats, the flight recorder and commands of a cluster, against a real server.
#include "lease_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

constexpr const char* prefix = "$KV.PGHA_orders.";

fo::cluster_command order(const std::string& id) {
  fo::cluster_command c;
  c.id = id;
  c.to = "b";
  c.by = "ann";
  return c;
}

void put_order(stranger& by, const std::string& id) {
  by.put(prefix + ("cmd." + id), fo::write(order(id)));
}

bool told_within(lease_member& m, const std::string& id, milliseconds limit) {
  return m.events().take_until(
    [&](const fo::event& e) {
      const auto* is = std::get_if<ev::command>(&e);
      return is != nullptr && is->what.id == id;
    },
    limit);
}

} // namespace

TEST_CASE("lease store: heartbeat -> heard by all, and found by who comes later") {
  nats_server server;
  lease_member a{server.url(), "a"};
  lease_member b{server.url(), "b"};
  a.take<ev::record_seen>();
  const auto on_b = b.take<ev::connected>().connection;
  b.take<ev::record_seen>(); // after its subscription was confirmed
  for (std::uint64_t i = 1; i <= 3; ++i) {
    a.store().publish(beat_of("a", i));
    const auto heard = b.take<ev::heartbeat>([&](const auto& e) { return e.beat.beat == i; });
    CHECK(heard.beat == beat_of("a", i));
    CHECK(heard.connection == on_b);
  }
  CHECK(a.take<ev::heartbeat>([](const auto& e) { return e.beat.beat == 3; }).beat.node == "a");
  lease_member late{server.url(), "c"};
  const auto found = late.take<ev::heartbeat>();
  CHECK(found.beat == beat_of("a", 3));
}

TEST_CASE("lease store: heartbeat that nobody stored, or in another's name -> not told") {
  nats_server server;
  lease_member a{server.url(), "a"};
  a.take<ev::record_seen>();
  stranger who{server.url()};
  a.store().publish(beat_of("a", 1));
  a.take<ev::heartbeat>();
  who.say("pgha-evt.orders.hb.a", fo::write(beat_of("a", 9))); // what is heard only makes it read
  CHECK(a.take<ev::heartbeat>().beat.beat == 1);
  who.put(prefix + std::string{"hb.b"}, fo::write(beat_of("c", 1)));
  CHECK(a.says("it names 'c'"));
  who.put(prefix + std::string{"hb.b"}, "rubbish");
  CHECK(a.says("the heartbeat of 'b' cannot be used"));
  who.put(prefix + std::string{"hb.b"}, fo::write(beat_of("b", 1)));
  CHECK(a.take<ev::heartbeat>([](const auto& e) { return e.beat.node != "a"; }).beat.node == "b");
}

TEST_CASE("lease store: history entry -> kept under its epoch") {
  nats_server server;
  lease_member a{server.url(), "a"};
  a.take<ev::record_seen>();
  fo::history_entry entry;
  entry.epoch = 4;
  entry.holder = "a";
  entry.timeline = 4;
  entry.parent = 3;
  entry.reason = "the record was silent";
  a.store().publish(entry);
  stranger who{server.url()};
  std::string found;
  CHECK(eventually(
    [&] {
      natsMsg* raw = nullptr;
      const auto status = js_GetLastMsg(&raw, who.jetstream(), "KV_PGHA_orders",
                                        "$KV.PGHA_orders.history.4", nullptr, nullptr);
      if (status == NATS_OK)
        found.assign(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
      natsMsg_Destroy(raw);
      return status == NATS_OK;
    },
    patience));
  CHECK(fo::read_history_entry(found).value() == entry);
}

TEST_CASE("lease store: command -> told to each member once, gone once one has consumed it") {
  nats_server server;
  lease_member a{server.url(), "a"};
  lease_member b{server.url(), "b"};
  a.take<ev::record_seen>();
  b.take<ev::record_seen>();
  stranger who{server.url()};
  put_order(who, "1");
  CHECK(a.take<ev::command>().what == order("1"));
  REQUIRE(told_within(b, "1", patience));
  // One that lies there when a connection begins.
  lease_member late{server.url(), "c"};
  REQUIRE(told_within(late, "1", patience));
  a.store().consume("1");
  b.store().consume("1"); // both may: the second finds nothing
  const auto consumed = [&] {
    natsMsg* raw = nullptr;
    const char* operation = nullptr;
    const auto status = js_GetLastMsg(&raw, who.jetstream(), "KV_PGHA_orders",
                                      "$KV.PGHA_orders.cmd.1", nullptr, nullptr);
    const bool gone =
      status == NATS_OK && natsMsgHeader_Get(raw, "KV-Operation", &operation) == NATS_OK;
    natsMsg_Destroy(raw);
    return gone;
  };
  REQUIRE(eventually(consumed, patience));
  CHECK(a.take<ev::command_gone>().id == "1");
  CHECK(b.take<ev::command_gone>().id == "1");
  // Who comes now hears of the next one alone.
  put_order(who, "2");
  lease_member later{server.url(), "d"};
  CHECK(later.take<ev::command>().what.id == "2");
  CHECK(a.take<ev::command>().what.id == "2");
}

TEST_CASE("lease store: connection lost while a command lies there -> told again, to be consumed") {
  nats_server server;
  lease_member a{server.url(), "a"};
  a.take<ev::record_seen>();
  {
    stranger who{server.url()};
    put_order(who, "1");
  }
  REQUIRE(told_within(a, "1", patience));
  server.kill();
  a.take<ev::disconnected>();
  a.store().consume("1"); // lost
  server.start();
  a.take<ev::connected>();
  REQUIRE(told_within(a, "1", patience));
  a.store().consume("1");
  stranger who{server.url()};
  put_order(who, "2"); // after the consumption, in whatever order they are read
  REQUIRE(told_within(a, "2", patience));
}

TEST_CASE("lease store: command under another's name, or unreadable -> not told") {
  nats_server server;
  lease_member a{server.url(), "a"};
  a.take<ev::record_seen>();
  stranger who{server.url()};
  who.put(prefix + std::string{"cmd.1"}, fo::write(order("2")));
  CHECK(a.says("it names '2'"));
  who.put(prefix + std::string{"cmd.3"}, "{}");
  CHECK(a.says("the command '3' cannot be used"));
  put_order(who, "4");
  CHECK(a.take<ev::command>().what.id == "4");
}

} // namespace harmony::test
