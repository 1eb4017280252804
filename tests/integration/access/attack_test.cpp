// A hostile device that names somebody else's subject where its answer should go. The server
// publishes there, past the device's rights: that is why there are two accounts.
#include <functional>

#include "fleet_bed.hpp"
#include "model/status.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;
constexpr const char* forged = "forged";
constexpr const char* own_status = "$KV.actual-state.pi-1";
constexpr const char* read_own_status = "$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-1";

/// Both forms: what it wrote as its own status, asked for with another's subject as the reply; and
/// the acknowledgement of a write sent there.
void attack(bare_client& device, const std::string& target) {
  device.publish(own_status, {}, forged);
  device.publish(read_own_status, target, "");
  device.publish(own_status, target, forged);
}

/// Everybody in one account, each device with the rights that it has in a fleet.
std::string one_account() {
  return "authorization { users = [ { user: operator, password: o }, { user: pi-1, password: p, "
         "permissions: { publish: [\""
         + std::string{own_status} + "\", \"" + read_own_status
         + R"("], subscribe: ["_INBOX.pi-1.>"] } } ] })";
}

/// The server has done what came before once it has answered this.
void settle(store& device) {
  REQUIRE(device.get(bucket::actual_state, "pi-1", ample));
}

} // namespace

TEST_CASE(
  "access: reply named after another's manifest -> forged in one account, that is the test") {
  nats_server server{one_account()};
  const auto op = open_connected(server.url("operator", "o"));
  REQUIRE(op->prepare(ample));
  REQUIRE(op->put(desired, "pi-2", "the victim's", 0, ample));
  hints seen;
  const auto watching = op->watch(desired, "pi-2", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));

  natsConnection* device = nullptr;
  REQUIRE(natsConnection_ConnectTo(&device, server.url("pi-1", "p").c_str()) == NATS_OK);
  CHECK(natsConnection_PublishString(device, own_status, forged) == NATS_OK);
  SECTION("by a read") {
    CHECK(natsConnection_PublishRequest(device, read_own_status, "$KV.desired-state.pi-2", "", 0)
          == NATS_OK);
    REQUIRE(seen.names("pi-2"));
    CHECK(op->get(desired, "pi-2", ample).value()->value == forged);
  }
  SECTION("by an acknowledgement") {
    CHECK(natsConnection_PublishRequestString(device, own_status, "$KV.desired-state.pi-2", forged)
          == NATS_OK);
    REQUIRE(seen.names("pi-2"));
    CHECK(op->get(desired, "pi-2", ample).value()->value.find("KV_actual-state")
          != std::string::npos);
  }
  natsConnection_Destroy(device);
}

TEST_CASE("access: reply named after another's manifest, status, facts, heartbeat -> no harm") {
  fleet_bed bed{GENERATE(trust_mode::static_keys, trust_mode::operator_mode)};
  const auto op = open_as(bed.admin());
  const auto victim = open_as(bed.device("pi-2"));
  const auto manifest = op->put(desired, "pi-2", "the victim's", 0, ample).value();
  const auto status = victim->put(bucket::actual_state, "pi-2", "its status", 0, ample).value();
  const auto facts = victim->put(bucket::device_info, "pi-2", "its facts", 0, ample).value();
  REQUIRE(victim->beat("pi-2", "its heartbeat"));
  REQUIRE(eventually([&] { return op->last_beat("pi-2", ample).value().has_value(); }, patience));

  bare_client hostile{bed.device("pi-1")};
  for (const char* target : {"$KV.desired-state.pi-2", "$KV.desired-state.pi-1",
                             "$KV.actual-state.pi-2", "$KV.device-info.pi-2", "hb.pi-2"})
    attack(hostile, target);
  const auto device = open_as(bed.device("pi-1"));
  settle(*device);
  CHECK(device->get(bucket::actual_state, "pi-1", ample).value()->value == forged);

  // A revision is a place in the bucket's stream: none was taken in between.
  CHECK(op->put(desired, "pi-2", "next", manifest, ample).value() == manifest + 1);
  CHECK(victim->put(bucket::device_info, "pi-2", "next", facts, ample).value() == facts + 1);
  CHECK(victim->put(bucket::actual_state, "pi-2", "next", status, ample));
  CHECK_FALSE(op->get(desired, "pi-1", ample).value());
  CHECK(op->last_beat("pi-2", ample).value()->value == "its heartbeat");
}

TEST_CASE("access: reply named after another's commands, hints, answers -> the agent minds none") {
  fleet_bed bed{GENERATE(trust_mode::static_keys, trust_mode::operator_mode)};
  std::vector<std::string> flags{bed.agent_flags("pi-1")};
  agent_process victim{HARMONY_AGENT, flags, bed.admin()};
  victim.start();
  victim.apply(R"({"kind":"File","name":"a","spec":{"path":")" + bed.path("a")
               + R"(","content":"right"}})");
  REQUIRE(victim.converged());

  bare_client hostile{bed.device("pi-2")};
  const std::string own = "$KV.actual-state.pi-2";
  const std::string read_own = "$JS.API.DIRECT.GET.KV_actual-state." + own;
  hostile.publish(own, {}, "{}");
  // These do reach the devices' account; what comes there without a reply is no command, a hint
  // only makes the agent look, and where it awaits answers nobody can guess.
  for (const char* target : {"cmd.pi-1.hold", "cmd.pi-1.restart", "cmd.pi-1.resync",
                             "desired-evt.pi-1", "_INBOX.pi-1.x", "_INBOX.pi-1.1.1"}) {
    hostile.publish(read_own, target, "");
    hostile.publish(own, target, "{}");
  }
  const auto other = open_as(bed.device("pi-2"));
  REQUIRE(other->get(bucket::actual_state, "pi-2", ample));
  REQUIRE(victim.await_beats(3));
  victim.apply(R"({"kind":"File","name":"a","spec":{"path":")" + bed.path("a")
               + R"(","content":"next"}})");
  REQUIRE(victim.converged());
  CHECK(read_file(bed.path("a")) == "next");
  const auto status = victim.status();
  for (const auto& c : status.conditions)
    CHECK(c.type != "Held");
  CHECK(victim.log().find("command") == std::string::npos);
}

} // namespace harmony::test
