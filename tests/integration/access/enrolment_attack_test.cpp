// What somebody with a token, stolen or not, can do beside asking once: nothing.
#include <filesystem>
#include <sys/stat.h>

#include "enrol_bed.hpp"
#include "identity/login.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "transport/nats_access.hpp"

namespace harmony::test {

namespace {

constexpr auto requests = bucket::enrolment_request;

trust_mode either_mode() {
  return GENERATE(trust_mode::static_keys, trust_mode::operator_mode);
}

std::string request_subject(const std::string& token) {
  return "$KV.enrolment-request." + read_token(token)->id();
}

/// A request as anybody may write one.
std::string request_by(const nkey_pair& key, const std::string& token, const std::string& device) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return sign_request({token, device, {}, {}, {}}, key, nullptr, now).value();
}

} // namespace

TEST_CASE("enrolment: subjects that are not a token's own -> each denied") {
  enrol_bed bed{either_mode()};
  const auto own = bed.token();
  const auto other = read_token(bed.token())->id();
  bare_client holder{bed.holder(own)};
  for (const auto& subject : std::vector<std::string>{
         "$KV.enrolment." + read_token(own)->id(),
         "$KV.enrolment." + other,
         "$KV.enrolment-request." + other,
         "$KV.enrolment-request." + other + ".done",
         "$KV.enrolment-request.x",
         "$JS.API.DIRECT.GET.KV_enrolment",
         "$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment." + other,
         "$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment.*",
         "$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment.>",
         "$JS.API.DIRECT.GET.KV_enrolment-request.$KV.enrolment-request." + other,
         "$JS.API.DIRECT.GET.KV_enrolment-request.$KV.enrolment-request.*",
         "$JS.API.DIRECT.GET.KV_desired-state.$KV.desired-state.pi-1",
         "$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-1",
         "$KV.desired-state.pi-1",
         "$KV.actual-state.pi-1",
         "$KV.device-info.pi-1",
         "hb.pi-1",
         "cmd.pi-1.ping",
         "enrolment-evt." + other,
         "_INBOX." + other + ".x",
         "$JS.API.INFO",
         "$JS.API.STREAM.LIST",
         "$JS.API.STREAM.INFO.KV_enrolment",
         "$JS.API.STREAM.MSG.GET.KV_enrolment",
         "$JS.API.STREAM.PURGE.KV_enrolment-request",
         "$JS.API.STREAM.MSG.DELETE.KV_enrolment-request",
         "$JS.API.CONSUMER.CREATE.KV_enrolment",
         "$SYS.REQ.SERVER.PING",
         "$SYS.REQ.CLAIMS.UPDATE",
         "anything",
       }) {
    INFO("publish to " << subject);
    CHECK(holder.publish_denied(subject));
  }
  for (const auto& subject :
       std::vector<std::string>{">", "*", "_INBOX.>", "_INBOX." + other + ".>", "enrolment-evt.*",
                                "enrolment-evt." + other, "enrolment-request-evt.>", "$KV.>",
                                "$JS.>", "$SYS.>", "desired-evt.pi-1", "cmd.pi-1.*", "hb.*"}) {
    INFO("subscription to " << subject);
    CHECK(holder.subscribe_denied(subject));
  }
  for (const auto& subject : nats::token_rights(read_token(own)->id()).publish) {
    INFO("publish to " << subject);
    CHECK_FALSE(holder.publish_denied(subject));
  }
}

TEST_CASE("enrolment: two devices race with one token -> one asks, the other is told by whom") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token();
  new_device one{"pi-7"};
  new_device two{"pi-8"};
  one.enrol(token);
  two.enrol(token);
  REQUIRE(eventually(
    [&] { return one.running().ended(milliseconds{0}) || two.running().ended(milliseconds{0}); },
    patience));
  const bool first_won = two.running().ended(milliseconds{0});
  auto& winner = first_won ? one : two;
  auto& loser = first_won ? two : one;
  const auto id = first_won ? "pi-7" : "pi-8";
  const auto print = winner.asked();
  const auto told = loser.wait();
  CHECK(told.code == 3);
  INFO(told.err);
  CHECK(told.err.find("used before, by '" + std::string{id} + "' with the key " + print)
        != std::string::npos);
  bed.let_in(id);
  CHECK(winner.wait().code == 0);
  CHECK(bed.enrolments().size() == 1);
}

TEST_CASE("enrolment: stolen token that was used -> of no use, and what it reads neither") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token();
  new_device device{"pi-7"};
  device.enrol(token);
  device.asked();
  bed.let_in("pi-7");
  REQUIRE(device.wait().code == 0);
  const auto record = bed.op->get(bucket::enrolment, read_token(token)->id(), ample).value()->value;

  new_device thief{"pi-7"};
  thief.enrol(token);
  const auto told = thief.wait();
  CHECK(told.code == 3);
  CHECK(told.err.find("which this device does not have") != std::string::npos);
  // Also one that keeps to no protocol.
  bare_client holder{bed.holder(token)};
  const auto forged = request_by(nkey_pair::make(nkey_kind::user), read_token(token)->id(), "pi-7");
  holder.publish(request_subject(token), {}, forged);
  CHECK(bed.op->get(requests, read_token(token)->id(), ample).value()->value != forged);
  CHECK(bed.standing("pi-7") == "Enrolled");
  CHECK(bed.op->get(bucket::enrolment, read_token(token)->id(), ample).value()->value == record);
}

TEST_CASE("enrolment: holder of a token that keeps to no protocol -> what was asked first, stays") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto token = bed.token();
  const auto id = read_token(token)->id();
  const auto subject = request_subject(token);
  bare_client holder{bed.holder(token)};
  const auto first = request_by(nkey_pair::make(nkey_kind::user), id, "pi-7");
  holder.publish_with(subject, first, {});
  REQUIRE(
    eventually([&] { return bed.op->get(requests, id, ample).value().has_value(); }, patience));
  const auto revision = bed.op->get(requests, id, ample).value()->revision;

  holder.publish_with(subject, "again", {});
  holder.publish_with(subject, "rolled up", {{"Nats-Rollup", "sub"}});
  holder.publish_with(subject, "all rolled up", {{"Nats-Rollup", "all"}});
  holder.publish_with(subject, "", {{"KV-Operation", "DEL"}});
  holder.publish_with(subject, "", {{"KV-Operation", "PURGE"}, {"Nats-Rollup", "sub"}});
  for (int i = 0; i < 1000; ++i) { // and by the mass
    holder.publish_with(subject, "more", {});
    holder.publish_with(subject + ".done", std::string(20'000, 'x'), {});
  }
  // A revision is a place in the stream: another token's request is the next one in it.
  const auto next = bed.token();
  bare_client{bed.holder(next)}.publish_with(request_subject(next), "x", {});
  const auto other = read_token(next)->id();
  REQUIRE(
    eventually([&] { return bed.op->get(requests, other, ample).value().has_value(); }, patience));
  CHECK(bed.op->get(requests, other, ample).value()->revision == revision + 1);
  CHECK(bed.op->get(requests, id, ample).value()->value == first);
  CHECK(bed.standing("pi-7") == "Pending");
}

TEST_CASE(
  "enrolment: receipt's place taken -> let in, and told that the operator does not see it") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto token = bed.token();
  new_device device{"pi-7"};
  device.enrol(token);
  device.asked();
  const auto place = nats::receipt_key(read_token(token)->id());
  bare_client{bed.holder(token)}.publish_with(request_subject(token) + ".done", "x", {});
  REQUIRE(
    eventually([&] { return bed.op->get(requests, place, ample).value().has_value(); }, patience));
  bed.let_in("pi-7");
  const auto done = device.wait();
  CHECK(done.code == 0);
  CHECK(done.out.find("somebody else with this token") != std::string::npos);
  CHECK(bed.standing("pi-7") == "Approved");
}

TEST_CASE("enrolment: reply named after another's request, answer, manifest -> no harm") {
  enrol_bed bed{either_mode()};
  const auto own = bed.token();
  const auto victim = read_token(bed.token())->id();
  const auto record = bed.op->get(bucket::enrolment, victim, ample).value()->revision;
  bare_client holder{bed.holder(own)};
  const auto id = read_token(own)->id();
  for (const auto& target :
       {"$KV.enrolment-request." + victim, "$KV.enrolment." + victim, "$KV.enrolment." + id,
        std::string{"$KV.desired-state.pi-1"}, std::string{"hb.pi-1"}}) {
    holder.publish(request_subject(own), target, "forged");
    holder.publish("$JS.API.DIRECT.GET.KV_enrolment-request." + request_subject(own), target, "");
    holder.publish("$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment." + id, target, "");
  }
  REQUIRE(open_as(bed.holder(own))->get(requests, id, ample).value());
  CHECK_FALSE(bed.op->get(requests, victim, ample).value());
  CHECK(bed.op->get(bucket::enrolment, victim, ample).value()->revision == record);
  CHECK_FALSE(bed.op->get(bucket::desired_state, "pi-1", ample).value());
  CHECK_FALSE(bed.op->last_beat("pi-1", ample).value());
}

TEST_CASE("enrolment: request of one token played back with another -> not granted") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto honest = bed.token();
  new_device device{"pi-7"};
  device.enrol(honest);
  device.asked();
  const auto text = bed.op->get(requests, read_token(honest)->id(), ample).value()->value;
  const auto stolen = bed.token();
  bare_client thief{bed.holder(stolen)};
  thief.publish(request_subject(stolen), {}, text);
  const auto id = read_token(stolen)->id();
  REQUIRE(
    eventually([&] { return bed.op->get(requests, id, ample).value().has_value(); }, patience));
  const auto refused = bed.fleet.try_ctl(bed.approve(id, {"-y"}));
  CHECK(refused.code == 4);
  CHECK(refused.err.find("made with another token") != std::string::npos);
  bed.let_in("pi-7"); // the honest one alone is meant
  CHECK(device.wait().code == 0);
}

TEST_CASE("enrolment: request that claims another's id -> not granted") {
  enrol_bed bed{either_mode()};
  SECTION("with a token for another id") {
    const auto token = bed.token({"--for", "pi-7"});
    new_device confused{"pi-8"};
    confused.enrol(token);
    CHECK(confused.wait().code == 2);
    const auto id = read_token(token)->id();
    bare_client hostile{bed.holder(token)};
    hostile.publish(request_subject(token), {},
                    request_by(nkey_pair::make(nkey_kind::user), id, "pi-1"));
    REQUIRE(bed.reaches("pi-1", "Invalid"));
    const auto refused = bed.fleet.try_ctl(bed.approve(id, {"-y"}));
    CHECK(refused.code == 4);
    CHECK(refused.err.find("the token is for 'pi-7' alone") != std::string::npos);
  }
  SECTION("with a token for any") {
    const auto token = bed.token();
    if (!bed.fleet.has_jwts()) // the list of those let in
      write_file(bed.fleet.path("approved.line"), read_file(bed.fleet.path("pi-1.line")));
    new_device hostile{"pi-1"};
    hostile.enrol(token);
    const auto print = hostile.asked();
    const auto refused = bed.fleet.try_ctl(bed.approve("pi-1", {"--fingerprint", print}));
    CHECK(refused.code == 4);
    CHECK(refused.err.find("has a key already") != std::string::npos);
  }
}

TEST_CASE("enrolment: another key than the operator has compared -> not approved") {
  enrol_bed bed{trust_mode::operator_mode};
  new_device device{"pi-7"};
  device.enrol(bed.token());
  device.asked();
  const auto other = fingerprint_of(nkey_pair::make(nkey_kind::user).public_key());
  const auto refused = bed.fleet.try_ctl(bed.approve("pi-7", {"--fingerprint", other}));
  CHECK(refused.code == 4);
  CHECK(bed.standing("pi-7") == "Pending");
}

TEST_CASE("enrolment: token that has expired -> told so and what to do, and not approved") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token({"--expires", "2s"});
  const auto id = read_token(token)->id();
  new_device device{"pi-7"};
  device.enrol(token);
  REQUIRE(eventually(
    [&] {
      return bed.fleet.ctl({"enroll-token", "list"}).find("Expired") != std::string::npos;
    },
    patience));
  CHECK(bed.fleet.try_ctl(bed.approve(id, {"-y"})).code == 3);
  // Told while it waits; a new start likewise; and where the operator has taken the token out.
  for (const bool taken_out : {false, false, true}) {
    if (taken_out && !bed.fleet.has_jwts()) {
      write_file(bed.fleet.path("tokens"), "");
      bed.tell_server();
    }
    const auto told = device.wait();
    CAPTURE(taken_out, told.err, told.out);
    CHECK(told.code == 3);
    CHECK(told.err.find("the token has expired") != std::string::npos);
    CHECK(told.err.find("harmonyctl enroll-token create") != std::string::npos);
    CHECK(told.err.find("credentials") == std::string::npos);
    device.enrol(token);
  }
}

TEST_CASE("enrolment: token that static keys no longer have -> waited for in words of its own, "
          "then of no use") {
  enrol_bed bed{trust_mode::static_keys};
  const auto token = bed.token();
  write_file(bed.fleet.path("tokens"), "");
  bed.tell_server();
  new_device device{"pi-7"};
  device.enrol(token, "6s");
  const auto told = device.wait();
  CHECK(told.code == 3);
  CHECK(told.out.find("its configuration does not have it yet, or no longer") != std::string::npos);
  CHECK(told.err.find("expired, was used or revoked") != std::string::npos);
  CHECK(told.err.find("harmonyctl enroll-token create") != std::string::npos);
}

TEST_CASE("enrolment: token that was revoked -> told why, before and after it asked") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token();
  new_device device{"pi-7"};
  const bool after = GENERATE(false, true);
  if (after) {
    device.enrol(token);
    device.asked();
  }
  bed.fleet.ctl(
    {"enroll-token", "revoke", read_token(token)->id(), "--reason", "lost in the post"});
  if (!after)
    device.enrol(token);
  const auto told = device.wait();
  CHECK(told.code == 3);
  CHECK(told.err.find("revoked: lost in the post") != std::string::npos);
  CHECK(bed.fleet.try_ctl(bed.approve("pi-7", {"-y"})).code == 3);
}

TEST_CASE("enrolment: device that was lost -> reads no manifest of another, and soon not its own") {
  enrol_bed bed{trust_mode::operator_mode};
  new_device device;
  device.enrol(bed.token({"--for", "pi-7"}));
  device.asked();
  bed.let_in("pi-7");
  REQUIRE(device.wait().code == 0);
  REQUIRE(bed.op->put(bucket::desired_state, "pi-7", "its own", 0, ample));
  REQUIRE(bed.op->put(bucket::desired_state, "pi-1", "another's", 0, ample));
  const auto lost = open_as(device.login(bed, "pi-7"));
  CHECK(lost->get(bucket::desired_state, "pi-7", ample).value()->value == "its own");
  CHECK(code_of(lost->get(bucket::desired_state, "pi-1", ample)) == ec::store_denied);
  states state{*lost};
  bed.fleet.ctl({"revoke", "pi-7", "--keys", bed.fleet.keys()});
  CHECK(state.says(false, "User Authentication Revoked"));
  CHECK_FALSE(lost->get(bucket::desired_state, "pi-7", milliseconds{500}));
}

} // namespace harmony::test
