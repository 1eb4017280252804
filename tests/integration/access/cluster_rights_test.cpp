// What a member of a failover cluster may, and nobody else.
#include <filesystem>

#include "fleet_bed.hpp"
#include "integration/lease/lease_bed.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "transport/nats_access.hpp"

namespace harmony::test {

namespace {

trust_mode either_mode() {
  return GENERATE(trust_mode::static_keys, trust_mode::operator_mode);
}

constexpr const char* lease_subject = "$KV.PGHA_LEASE_orders.lease";

/// pi-1 is a member of 'orders', pi-2 is none; the operator has made the streams.
class cluster_bed : public fleet_bed {
public:
  explicit cluster_bed(trust_mode mode) : fleet_bed(mode, more_of(mode)) {
    if (has_jwts()) {
      const auto nkey = ctl({"nkey", path("pi-1.nk")}).substr(0, 56);
      std::filesystem::remove(path("pi-1.jwt"));
      ctl({"credentials", "pi-1", "--keys", keys(), "--for", nkey, "--cluster", "orders", "--out",
           path("pi-1.jwt")});
    } else {
      auto line = read_file(path("pi-1.line"));
      line.insert(line.find('\n'), " cluster=orders");
      write_file(path("pi-1.line"), line);
    }
    use(more_of(mode));
    ctl({"failover", "init", "orders"});
  }

  [[nodiscard]] lease_store_options member(const std::string& id) const {
    lease_store_options options;
    options.how = id.empty() ? admin() : device(id);
    options.cluster = cluster_name;
    options.node = id.empty() ? "operator" : id;
    options.periods = patient();
    return options;
  }

private:
  static std::vector<std::string> more_of(trust_mode mode) {
    return mode == trust_mode::operator_mode ? std::vector<std::string>{"--in-memory"}
                                             : std::vector<std::string>{};
  }
};

} // namespace

TEST_CASE("access: member of a cluster -> all that its store does, and nothing refused") {
  cluster_bed bed{either_mode()};
  lease_member pi{bed.member("pi-1")};
  const auto on = pi.take<ev::connected>().connection;
  CHECK(pi.take<ev::record_seen>().sequence == 0);
  REQUIRE(std::holds_alternative<ev::cas_done>(pi.cas(on, 0, record_of("pi-1", 1))));
  CHECK(std::get<ev::record_read>(pi.read(on)).sequence == 1);
  pi.store().publish(beat_of("pi-1", 1));
  CHECK(pi.take<ev::heartbeat>().beat.node == "pi-1");
  fo::history_entry entry;
  entry.epoch = 1;
  entry.holder = "pi-1";
  entry.reason = "a new cluster";
  entry.timeline = 1;
  pi.store().publish(entry);
  bed.ctl({"failover", "switchover", "orders"});
  const auto told = pi.take<ev::command>().what;
  pi.store().consume(told.id);
  CHECK(eventually(
    [&] {
      return bed.ctl({"failover", "history", "orders"}).find("new cluster") != std::string::npos;
    },
    patience));
  lease_member op{bed.member("")};
  CHECK(op.take<ev::record_seen>().record == record_of("pi-1", 1));
  INFO(bed.server().log());
  CHECK(bed.server().log().find("Violation") == std::string::npos);
}

TEST_CASE(
  "access: a cluster's subjects -> denied to who is no member, and what is not a member's") {
  cluster_bed bed{either_mode()};
  bare_client stranger{bed.device("pi-2")};
  const auto rights = nats::member_rights("orders", "pi-2");
  for (const auto& subject : rights.publish) {
    INFO("no member: publish to " << subject);
    CHECK(stranger.publish_denied(subject));
  }
  for (const auto& subject : rights.subscribe) {
    INFO("no member: subscription to " << subject);
    CHECK(stranger.subscribe_denied(subject));
  }
  bare_client member{bed.device("pi-1")};
  for (const char* subject : {
         "$KV.PGHA_orders.hb.pi-2",
         "$KV.PGHA_orders.config",
         "$KV.PGHA_LEASE_orders.other",
         "$KV.PGHA_LEASE_other.lease",
         "$KV.PGHA_other.hb.pi-1",
         "$KV.PGHA_other.cmd.1",
         "$JS.API.STREAM.MSG.GET.KV_PGHA_LEASE_other",
         "$JS.API.STREAM.MSG.GET.KV_desired-state",
         "$JS.API.STREAM.INFO.KV_PGHA_other",
         "$JS.API.STREAM.MSG.DELETE.KV_PGHA_LEASE_orders",
         "$JS.API.STREAM.PURGE.KV_PGHA_LEASE_orders",
         "$JS.API.STREAM.DELETE.KV_PGHA_LEASE_orders",
         "$JS.API.STREAM.UPDATE.KV_PGHA_LEASE_orders",
         "$JS.API.STREAM.CREATE.KV_PGHA_LEASE_orders",
         "$JS.API.STREAM.PURGE.KV_PGHA_orders",
         "$JS.API.STREAM.NAMES",
         "$JS.API.CONSUMER.CREATE.KV_PGHA_orders",
         "pgha-evt.orders.lease",
         "pgha-evt.orders.hb.pi-2",
       }) {
    INFO("a member: publish to " << subject);
    CHECK(member.publish_denied(subject));
  }
  for (const char* subject : {"pgha-evt.>", "pgha-evt.other.>", "pgha-evt.*.lease",
                              "$KV.PGHA_orders.>", "$KV.PGHA_LEASE_orders.lease"}) {
    INFO("a member: subscription to " << subject);
    CHECK(member.subscribe_denied(subject));
  }
}

TEST_CASE("access: reply named after a lease, another's heartbeat, a command -> no harm") {
  cluster_bed bed{either_mode()};
  lease_member pi{bed.member("pi-1")};
  const auto on = pi.take<ev::connected>().connection;
  REQUIRE(std::holds_alternative<ev::cas_done>(pi.cas(on, 0, record_of("pi-1", 1))));
  pi.store().publish(beat_of("pi-1", 1));
  pi.take<ev::heartbeat>();

  const auto forged = fo::write(record_of("pi-2", 99));
  const auto attack = [&](const std::string& from, const std::vector<std::string>& reads,
                          const std::vector<std::string>& targets) {
    bare_client hostile{bed.device(from)};
    const auto own = "$KV.actual-state." + from;
    hostile.publish(own, {}, forged);
    for (const auto& target : targets) {
      for (const auto& read : reads)
        hostile.publish(read, target, "");
      hostile.publish(own, target, forged);
    }
    const auto device = open_as(bed.device(from)); // what came before is done
    REQUIRE(device->get(bucket::actual_state, from, ample).value());
  };
  const std::string of_cluster = "$KV.PGHA_orders.";
  const std::vector<std::string> targets{lease_subject,         of_cluster + "hb.pi-1",
                                         of_cluster + "hb.x",   of_cluster + "cmd.x",
                                         of_cluster + "config", of_cluster + "history.9"};
  attack("pi-2", {"$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-2"}, targets);
  // A member, whose rights to some of these are its own: nobody else's heartbeat.
  attack("pi-1",
         {"$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-1",
          "$JS.API.STREAM.INFO.KV_PGHA_orders"},
         {of_cluster + "hb.pi-2", of_cluster + "config"});
  CHECK(std::get<ev::record_read>(pi.read(on)).record == record_of("pi-1", 1));
  CHECK(std::get<ev::cas_done>(pi.cas(on, 1, record_of("pi-1", 1, 2))).sequence == 2);
  // Of the cluster's bucket: the one heartbeat, and nothing else.
  lease_member op{bed.member("")};
  CHECK(op.take<ev::heartbeat>().beat == beat_of("pi-1", 1));
  const auto state = bed.ctl({"failover", "status", "orders", "-o", "json"});
  CHECK(state.find("\"pi-2\"") == std::string::npos);
  CHECK(state.find("\"x\"") == std::string::npos);
}

} // namespace harmony::test
