// The commands about failover clusters, over a store in memory.
#include <functional>

#include <nlohmann/json.hpp>

#include "apps/ctl/failover_view.hpp"
#include "fixture.hpp"
#include "support/catch.hpp"

namespace harmony::ctl {

namespace {

using namespace failover;

/// One cluster, 'orders'. `on_look` runs before each look at the lease: the members' part.
class memory_clusters final : public cluster_store {
public:
  std::optional<lease_record> record;
  std::string garbage; ///< in place of the record
  std::map<std::string, store_entry> keys;
  std::vector<std::string> written; ///< keys, in order
  std::function<void(memory_clusters&)> on_look;
  bool missing = false;
  int replicas = 0;

  outcome<void> init(std::string_view, int of, milliseconds) override {
    replicas = of;
    return {};
  }
  outcome<std::vector<std::string>> clusters(milliseconds) override {
    return std::vector<std::string>{"orders"};
  }
  outcome<std::optional<store_entry>> lease(std::string_view cluster, milliseconds) override {
    if (missing || cluster != "orders")
      return failure{ec::bucket_not_found, "there are no streams of that cluster"};
    if (on_look)
      on_look(*this);
    if (!garbage.empty())
      return std::optional{store_entry{garbage, 9, noon}};
    if (!record)
      return std::optional<store_entry>{};
    return std::optional{store_entry{write(*record), 41, noon - std::chrono::seconds{1}}};
  }
  outcome<std::map<std::string, store_entry>> entries(std::string_view, std::string_view prefix,
                                                      milliseconds) override {
    std::map<std::string, store_entry> found;
    for (const auto& [key, entry] : keys)
      if (key.rfind(prefix, 0) == 0)
        found.emplace(key.substr(prefix.size()), entry);
    return found;
  }
  outcome<std::optional<store_entry>> get(std::string_view, std::string_view key,
                                          milliseconds) override {
    const auto at = keys.find(std::string{key});
    return at == keys.end() ? std::optional<store_entry>{} : std::optional{at->second};
  }
  outcome<std::uint64_t> create(std::string_view, std::string_view key, std::string_view value,
                                milliseconds) override {
    keys[std::string{key}] = {std::string{value}, 7, noon};
    written.emplace_back(key);
    return std::uint64_t{7};
  }
  outcome<void> remove(std::string_view, std::string_view key, std::uint64_t expected,
                       milliseconds) override {
    const auto at = keys.find(std::string{key});
    if (at == keys.end() || at->second.revision != expected)
      return failure{ec::conflict, "it was changed"};
    keys.erase(at);
    return {};
  }

  /// As a member that consumes every order.
  void take_orders() {
    std::erase_if(keys, [](const auto& each) { return each.first.rfind("cmd.", 0) == 0; });
  }
};

lease_record held_by(const std::string& node, std::uint64_t epoch) {
  lease_record r;
  r.epoch = epoch;
  r.holder = r.primary = node;
  r.incarnation = "boot-" + node;
  r.nonce = 1;
  r.state = lease_state::held;
  r.lease_ms = 3000;
  r.system_id = 7;
  r.timeline = 5;
  r.reserved = 5;
  r.flush_lsn = 1000;
  r.sync = {1, {"b"}};
  return r;
}

member_heartbeat beat_of(const std::string& node, member_role role, lsn received) {
  member_heartbeat b;
  b.node = node;
  b.incarnation = "boot-" + node;
  b.beat = 3;
  b.role = role;
  b.epoch = 3;
  b.system_id = 7;
  b.timeline = 5;
  b.checkpoint_timeline = 5;
  b.received = received;
  b.electable = role == member_role::standby;
  b.priority = 1;
  return b;
}

/// A terminal with a cluster that has a primary 'a' and a standby 'b'.
class cluster_terminal : public terminal {
public:
  cluster_terminal() {
    clusters = [this](const store_options&) -> outcome<std::shared_ptr<cluster_store>> {
      return std::shared_ptr<cluster_store>{std::shared_ptr<void>{}, &at};
    };
    at.record = held_by("a", 3);
    at.keys["hb.a"] = {write(beat_of("a", member_role::primary, 5000)), 1, noon};
    at.keys["hb.b"] = {write(beat_of("b", member_role::standby, 4000)), 2,
                       noon - std::chrono::minutes{1}};
  }
  memory_clusters at;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("failover: status -> lease, members, lag behind the primary, age") {
  cluster_terminal t;
  REQUIRE(t.run({"failover", "status", "orders"}) == 0);
  CHECK(has(t.out, "held by 'a', epoch 3, timeline 5"));
  CHECK(has(t.out, "sequence 41"));
  CHECK(has(t.out, "any 1 of b"));
  CHECK(has(t.out, "1m ago"));

  REQUIRE(t.run({"failover", "status", "orders", "-o", "json"}) == 0);
  const auto value = nlohmann::json::parse(t.out);
  CHECK(value["lease"]["holder"] == "a");
  CHECK(value["sequence"] == 41);
  REQUIRE(value["members"].size() == 2);
  CHECK(value["members"][1]["lagBytes"] == 1000);
  CHECK(value["members"][1]["sync"] == true);
  CHECK(value["members"][1]["electable"] == true);
  CHECK(value["members"][0]["lagBytes"].is_null());
}

TEST_CASE("failover: status of a lease that cannot be read -> said, the members shown") {
  cluster_terminal t;
  t.at.garbage = "x";
  REQUIRE(t.run({"failover", "status", "orders"}) == 0);
  CHECK(has(t.out, "cannot read the lease record"));
  CHECK(has(t.out, "standby"));
  t.at.keys["hb.b"].value = "rubbish";
  REQUIRE(t.run({"failover", "status", "orders"}) == 0);
  CHECK(has(t.out, "cannot be read"));
}

TEST_CASE("failover: list, init, no such cluster, a store without clusters") {
  cluster_terminal t;
  REQUIRE(t.run({"failover", "list"}) == 0);
  CHECK(has(t.out, "orders"));
  CHECK(t.run({"failover", "init", "orders", "--replicas", "3"}) == 0);
  CHECK(t.at.replicas == 3);
  CHECK(t.run({"failover", "init", "orders", "--replicas", "2"}) == 2);
  CHECK(t.run({"failover", "status", "other"}) == 3);
  CHECK(t.run({"failover", "status", "Orders!"}) == 2);
  t.clusters = open_cluster_store;
  CHECK(t.run({"--store", "dir:/nowhere", "failover", "list"}) == 2);
  CHECK(has(t.err, "NATS"));
}

TEST_CASE("failover: history -> an epoch a line, oldest first") {
  cluster_terminal t;
  for (const std::uint64_t epoch : {10, 9}) {
    history_entry h;
    h.epoch = epoch;
    h.holder = epoch == 10 ? "b" : "a";
    h.timeline = 5;
    h.parent = 4;
    h.reason = "reason " + std::to_string(epoch);
    h.lost_at_most = epoch == 10 ? 512 : 0;
    t.at.keys["history." + std::to_string(epoch)] = {write(h), 1, noon};
  }
  REQUIRE(t.run({"failover", "history", "orders"}) == 0);
  CHECK(t.out.find("reason 9") < t.out.find("reason 10"));
  CHECK(has(t.out, "512"));
}

TEST_CASE("failover: switchover --wait -> follows the lease until the other has it") {
  cluster_terminal t;
  int looks = 0;
  t.at.on_look = [&](memory_clusters& c) {
    if (++looks == 2)
      c.take_orders();
    if (looks == 3)
      c.record->state = lease_state::released;
    if (looks == 4)
      c.record = held_by("b", 4);
  };
  CHECK(t.run({"failover", "switchover", "orders", "--to", "b", "--wait"}) == 0);
  CHECK(has(t.out, "'b' has the lease, epoch 4"));
  REQUIRE(t.at.written.size() == 1);
  CHECK(t.at.written.front().rfind("cmd.", 0) == 0);
}

TEST_CASE("failover: order that nobody takes -> taken back, exit code 5") {
  cluster_terminal t;
  CHECK(t.run({"failover", "pause", "orders", "--wait=250ms"}) == 5);
  CHECK(has(t.err, "nobody took the order"));
  CHECK(t.at.entries("orders", "cmd.", soon).value().empty());
}

TEST_CASE("failover: order taken, not carried out in time -> said, exit code 5") {
  cluster_terminal t;
  t.at.on_look = [](memory_clusters& c) { c.take_orders(); };
  CHECK(t.run({"failover", "switchover", "orders", "--wait=300ms"}) == 5);
  CHECK(has(t.err, "was taken, and is not carried out yet"));
}

TEST_CASE("failover: lease that goes elsewhere -> said, exit code 1") {
  cluster_terminal t;
  int looks = 0;
  t.at.on_look = [&](memory_clusters& c) {
    c.take_orders();
    if (++looks > 1)
      c.record = held_by("c", 4);
  };
  CHECK(t.run({"failover", "switchover", "orders", "--to", "b", "--wait"}) == 1);
  CHECK(has(t.err, "elsewhere"));
}

TEST_CASE("failover: with data loss -> must be said, named and confirmed") {
  cluster_terminal t;
  CHECK(t.run({"failover", "failover", "orders", "--to", "b"}) == 2);
  CHECK(t.run({"failover", "failover", "orders", "--allow-data-loss"}) == 2);
  t.interactive = true;
  CHECK(t.run({"failover", "failover", "orders", "--to", "b", "--allow-data-loss"}, "n\n") == 1);
  CHECK(t.at.written.empty());
  CHECK(t.run({"failover", "failover", "orders", "--to", "b", "--allow-data-loss"}, "y\n") == 0);
  t.variables["USER"] = "ann";
  CHECK(t.run({"failover", "failover", "orders", "--to", "b", "--allow-data-loss", "--yes"}) == 0);
  REQUIRE(t.at.written.size() == 2);
  const auto order = read_cluster_command(t.at.keys[t.at.written.back()].value).value();
  CHECK("cmd." + order.id == t.at.written.back());
  CHECK((order.kind == command_kind::failover && order.to == "b" && order.allow_data_loss));
  CHECK(order.by == "ann");
}

TEST_CASE("failover: reinit --wait -> over when its member is a standby again after it was none") {
  cluster_terminal t;
  int looks = 0;
  t.at.on_look = [&](memory_clusters& c) {
    c.take_orders();
    ++looks;
    const auto role = looks < 3 || looks > 5 ? member_role::standby : member_role::rejoining;
    c.keys["hb.b"] = {write(beat_of("b", role, 4000)), 2, noon};
  };
  CHECK(t.run({"failover", "reinit", "orders", "b", "--wait"}) == 0);
  CHECK(looks >= 6);
  CHECK(has(t.out, "done"));
}

TEST_CASE("failover: reinit -> its member must be named, and confirmed") {
  cluster_terminal t;
  CHECK(t.run({"failover", "reinit", "orders"}) == 2);
  t.interactive = true;
  CHECK(t.run({"failover", "reinit", "orders", "b"}, "n\n") == 1);
  CHECK(t.at.written.empty());
  CHECK(t.run({"failover", "reinit", "orders", "b", "--allow-data-loss", "--yes"}) == 0);
  const auto order = read_cluster_command(t.at.keys[t.at.written.back()].value).value();
  CHECK((order.kind == command_kind::reinit && order.to == "b" && order.allow_data_loss));
}

TEST_CASE("failover: judge -> an order has happened only as it was asked for") {
  cluster_command order;
  const auto before = std::optional{held_by("a", 3)};
  const auto later = std::optional{held_by("b", 4)};
  CHECK(judge(order, before, before) == order_state::waiting);
  CHECK(judge(order, before, std::nullopt) == order_state::waiting);
  CHECK(judge(order, before, later) == order_state::happened);
  order.to = "c";
  CHECK(judge(order, before, later) == order_state::otherwise);
  auto promoting = later;
  promoting->state = lease_state::promoting;
  CHECK(judge(order, before, promoting) == order_state::waiting);
  order.kind = command_kind::pause;
  CHECK(judge(order, before, later) == order_state::waiting);
  promoting->paused = true;
  CHECK(judge(order, before, promoting) == order_state::happened);
}

} // namespace harmony::ctl
