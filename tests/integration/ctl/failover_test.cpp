// harmonyctl failover against a real server, with members that say what a test wants.
#include <nlohmann/json.hpp>

#include "integration/lease/lease_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/process.hpp"

namespace harmony::test {

namespace {

class cluster_of_two {
public:
  cluster_of_two() : a(server.url(), "a"), b(server.url(), "b") {
    on_a = a.take<ev::connected>().connection;
    on_b = b.take<ev::connected>().connection;
    REQUIRE(std::holds_alternative<ev::cas_done>(a.cas(on_a, 0, record_of("a", 3))));
    auto beat = beat_of("a", 1);
    beat.role = fo::member_role::primary;
    a.store().publish(beat);
    b.store().publish(beat_of("b", 1));
    b.take<ev::heartbeat>([](const auto& e) { return e.beat.node == "b"; });
  }

  [[nodiscard]] std::unique_ptr<process> start(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {HARMONYCTL, "failover"});
    return std::make_unique<process>(
      arguments, "", std::map<std::string, std::string>{{"HARMONY_STORE", server.url()}});
  }
  [[nodiscard]] run_result run(const std::vector<std::string>& arguments) const {
    return start(arguments)->wait();
  }

  nats_server server;
  lease_member a;
  lease_member b;
  std::uint64_t on_a = 0;
  std::uint64_t on_b = 0;
};

} // namespace

TEST_CASE("failover of harmonyctl: init, list, status, history -> what the store has") {
  nats_server server;
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {HARMONYCTL, "failover"});
    return process{arguments, "", {{"HARMONY_STORE", server.url()}}}.wait();
  };
  CHECK(run({"list"}).out.find("no clusters") != std::string::npos);
  CHECK(run({"status", "orders"}).code == 3);
  CHECK(run({"init", "orders"}).code == 0);
  CHECK(run({"init", "orders"}).code == 0);
  CHECK(run({"status", "orders"}).out.find("none yet") != std::string::npos);

  lease_member a{server.url(), "a"};
  const auto on = a.take<ev::connected>().connection;
  REQUIRE(std::holds_alternative<ev::cas_done>(a.cas(on, 0, record_of("a", 3))));
  a.store().publish(beat_of("a", 1));
  fo::history_entry entry;
  entry.epoch = 3;
  entry.holder = "a";
  entry.timeline = 1;
  entry.reason = "a new cluster";
  a.store().publish(entry);
  REQUIRE(eventually(
    [&] {
      return run({"history", "orders"}).out.find("a new cluster") != std::string::npos;
    },
    patience));
  const auto listed = nlohmann::json::parse(run({"list", "-o", "json"}).out);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["holder"] == "a");
  const auto status = nlohmann::json::parse(run({"status", "orders", "-o", "json"}).out);
  CHECK(status["lease"]["epoch"] == 3);
  CHECK(status["sequence"] == 1);
  CHECK(status["members"][0]["member"] == "a");

  stranger who{server.url()};
  who.put("$KV.PGHA_LEASE_orders.lease", "", true);
  CHECK(run({"status", "orders"}).out.find("was deleted") != std::string::npos);
  CHECK(run({"switchover", "orders"}).code == 6);
}

TEST_CASE("failover of harmonyctl: switchover --wait -> until the other member has the lease") {
  cluster_of_two c;
  const auto asked = c.start({"switchover", "orders", "--to", "b", "--wait"});
  const auto order = c.a.take<ev::command>().what;
  CHECK((order.kind == fo::command_kind::switchover && order.to == "b"));
  c.a.store().consume(order.id);
  auto released = record_of("a", 3, 2);
  released.state = fo::lease_state::released;
  REQUIRE(std::holds_alternative<ev::cas_done>(c.a.cas(c.on_a, 1, released)));
  REQUIRE(std::holds_alternative<ev::cas_done>(c.b.cas(c.on_b, 2, record_of("b", 4))));
  const auto done = asked->wait();
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(done.out.find("'b' has the lease, epoch 4") != std::string::npos);
}

TEST_CASE("failover of harmonyctl: order that nobody takes -> taken back") {
  cluster_of_two c;
  const auto done = c.run({"pause", "orders", "--wait=500ms"});
  CHECK(done.code == 5);
  CHECK(done.err.find("taken back") != std::string::npos);
  CHECK(c.a.take<ev::command>().what.kind == fo::command_kind::pause);
  // Who comes now is told of the next one alone.
  CHECK(c.run({"resume", "orders"}).code == 0);
  lease_member late{c.server.url(), "c"};
  CHECK(late.take<ev::command>().what.kind == fo::command_kind::resume);
}

TEST_CASE("failover of harmonyctl: order taken, the lease stays -> refused") {
  cluster_of_two c;
  const auto asked = c.start({"switchover", "orders", "--wait"});
  c.a.store().consume(c.a.take<ev::command>().what.id);
  const auto done = asked->wait();
  CHECK(done.code == 1);
  CHECK(done.err.find("was refused") != std::string::npos);
}

} // namespace harmony::test
