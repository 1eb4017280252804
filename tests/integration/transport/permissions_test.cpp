// config/nats-server-fleet.conf as it is shipped: a device can do its work, and nothing else.
#include <nats/nats.h>

#include "beds.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;

/// The accounts of the shipped configuration; the rest of it is the fixture's.
std::string fleet_accounts() {
  const auto text = read_file(HARMONY_CONFIG_DIR "/nats-server-fleet.conf");
  const auto begin = text.find("\naccounts {");
  REQUIRE(begin != std::string::npos);
  return text.substr(begin);
}

std::unique_ptr<store> open_device(const nats_server& server, const std::string& device) {
  store_options options;
  options.url = server.url(device, "change-me");
  options.inbox_prefix = "_INBOX." + device;
  auto opened = open_store(options);
  REQUIRE(opened);
  REQUIRE(states{**opened}.reaches(true));
  return std::move(*opened);
}

constexpr const char* forged = "forged";

/// A device that writes a manifest as its own status, asks for that, and names another's key for
/// the reply. Written without the store's headers, which would travel along and spoil the attack:
/// the server would take it for a duplicate.
void attack(const nats_server& server, const std::string& device, const std::string& victim) {
  natsConnection* connection = nullptr;
  REQUIRE(natsConnection_ConnectTo(&connection, server.url(device, "change-me").c_str())
          == NATS_OK);
  const auto key = "$KV.actual-state." + device;
  CHECK(natsConnection_PublishString(connection, key.c_str(), forged) == NATS_OK);
  const auto own = "$JS.API.DIRECT.GET.KV_actual-state." + key;
  const auto reply = "$KV.desired-state." + victim;
  CHECK(natsConnection_PublishRequest(connection, own.c_str(), reply.c_str(), "", 0) == NATS_OK);
  CHECK(natsConnection_Flush(connection) == NATS_OK);
  natsConnection_Destroy(connection);
}

} // namespace

TEST_CASE("permissions: device of the fleet configuration -> get, put, watch and beat work") {
  nats_server server{fleet_accounts()};
  const auto op = open_connected(server.url("operator", "change-me"));
  REQUIRE(op->prepare(ample));
  hints beats;
  const auto beating = op->watch_beats(beats.sink());
  REQUIRE(beating);
  REQUIRE(beats.covers(""));

  const auto device = open_device(server, "pi-0042");
  hints seen;
  const auto watching = device->watch(desired, "pi-0042", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  CHECK_FALSE(device->get(desired, "pi-0042", ample).value());
  REQUIRE(op->put(desired, "pi-0042", "manifest", 0, ample));
  REQUIRE(seen.names("pi-0042"));
  CHECK(device->get(desired, "pi-0042", ample).value()->value == "manifest");

  for (const auto b : {bucket::actual_state, bucket::device_info}) {
    const auto first = device->put(b, "pi-0042", "one", 0, ample);
    INFO((first ? "" : first.error().message));
    REQUIRE(first);
    CHECK(code_of(device->put(b, "pi-0042", "late", *first + 1, ample)) == ec::conflict);
    CHECK(device->put(b, "pi-0042", "two", *first, ample));
    CHECK(device->get(b, "pi-0042", ample).value()->value == "two");
    CHECK(op->get(b, "pi-0042", ample).value()->value == "two");
  }
  REQUIRE(device->beat("pi-0042", "alive"));
  REQUIRE(beats.names("pi-0042"));
  CHECK(op->last_beat("pi-0042", ample).value()->value == "alive");
}

TEST_CASE("permissions: command of an operator -> answered by its device") {
  nats_server server{fleet_accounts()};
  const auto op = open_connected(server.url("operator", "change-me"));
  const auto device = open_device(server, "pi-0042");
  const auto serving = device->serve(
    "pi-0042", [](const store_command& c) { (void)c.reply(c.verb + " " + c.payload); });
  REQUIRE(serving);
  const auto ask = [&](const char* payload) {
    return op->request("pi-0042", "ping", payload, ample);
  };
  REQUIRE(eventually([&] { return ask("").ok(); }, patience));
  CHECK(ask("again").value() == "ping again");
  // Between accounts nats-server 2.9 does not say that nobody is there.
  const auto nobody = code_of(op->request("pi-0043", "ping", "", milliseconds{500}));
  CHECK((nobody == ec::agent_unreachable || nobody == ec::timed_out));
}

TEST_CASE("permissions: device of the fleet configuration -> may not command, nor hear commands") {
  nats_server server{fleet_accounts()};
  const auto device = open_device(server, "pi-0042");
  CHECK(code_of(device->request("pi-0043", "ping", "", ample)) == ec::store_denied);
  CHECK(code_of(device->request("pi-0042", "ping", "", ample)) == ec::store_denied);
  states state{*device};
  const auto serving = device->serve("pi-0043", [](const auto&) {});
  REQUIRE(serving);
  CHECK(state.says(true, "cmd.pi-0043."));
}

TEST_CASE("permissions: device of the fleet configuration -> everything else is denied") {
  nats_server server{fleet_accounts()};
  const auto op = open_connected(server.url("operator", "change-me"));
  REQUIRE(op->prepare(ample));
  const auto device = open_device(server, "pi-0042");
  CHECK(code_of(device->get(desired, "pi-0043", ample)) == ec::store_denied);
  CHECK(code_of(device->put(desired, "pi-0042", "x", 0, ample)) == ec::store_denied);
  CHECK(code_of(device->put(desired, "pi-0043", "x", 0, ample)) == ec::store_denied);
  CHECK(code_of(device->put(bucket::actual_state, "pi-0043", "x", 0, ample)) == ec::store_denied);
  CHECK(code_of(device->prepare(ample)) == ec::store_denied);
  CHECK(code_of(device->keys(desired, ample)) == ec::store_denied);
  states state{*device};
  const auto watching = device->watch(desired, "pi-0043", [](const auto&) {});
  REQUIRE(watching);
  CHECK(state.says(true, "desired-evt.pi-0043"));
  CHECK(op->keys(desired, ample).value().empty());
}

TEST_CASE("permissions: reply named after another device's key -> works in one account only") {
  const std::string one_account =
    "authorization { users = [ { user: operator, password: change-me }, { user: pi-0042, password: "
    "change-me, permissions: { publish: "
    "[\"$KV.actual-state.pi-0042\", "
    "\"$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-0042\"], subscribe: "
    "[\"_INBOX.pi-0042.>\"] } } ] }";
  const bool fleet = GENERATE(false, true);
  nats_server server{fleet ? fleet_accounts() : one_account};
  const auto op = open_connected(server.url("operator", "change-me"));
  REQUIRE(op->prepare(ample));
  hints seen;
  const auto watching = op->watch(desired, "pi-0043", seen.sink());
  REQUIRE(watching);
  REQUIRE(seen.covers(""));
  const auto before = op->put(desired, "pi-0043", "the victim's", 0, ample);
  REQUIRE(before);
  REQUIRE(seen.names("pi-0043"));

  attack(server, "pi-0042", "pi-0043");
  if (!fleet) {
    // That is why there are two accounts, and it shows that this test would see an attack succeed.
    REQUIRE(seen.names("pi-0043"));
    CHECK(op->get(desired, "pi-0043", ample).value()->value == forged);
    return;
  }
  // The device's own next request is answered after whatever the attack did.
  const auto device = open_device(server, "pi-0042");
  CHECK(device->get(bucket::actual_state, "pi-0042", ample).value()->value == forged);
  // A revision is a place in the bucket's stream: none was taken in between.
  const auto after = op->put(desired, "pi-0043", "next", *before, ample);
  REQUIRE(after);
  CHECK(*after == *before + 1);
}

} // namespace harmony::test
