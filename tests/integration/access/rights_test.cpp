// The configurations that `harmonyctl server-config` writes: a device can do its work, and nothing
// else.
#include "fleet_bed.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "transport/nats_access.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;

trust_mode either_mode() {
  return GENERATE(trust_mode::static_keys, trust_mode::operator_mode);
}

std::string file_at(const std::string& path, const std::string& content) {
  return R"({"kind":"File","name":"a","spec":{"path":")" + path + R"(","content":")" + content
         + R"("}})";
}

/// Sends a command until it is answered: a subscription may still be on its way.
std::string answer_to(store& link, const char* verb) {
  std::string answer;
  REQUIRE(eventually(
    [&] {
      const auto got = link.request("pi-1", verb, "{}", milliseconds{1000});
      if (got)
        answer = *got;
      return got.ok();
    },
    patience));
  return answer;
}

/// `config` without one right of pi-1.
std::string without(std::string config, const std::string& right) {
  const auto user = config.find("{ # pi-1");
  const auto at = config.find("            \"" + right + "\"\n", user);
  REQUIRE(at != std::string::npos);
  return config.erase(at, config.find('\n', at) + 1 - at);
}

} // namespace

TEST_CASE("access: agent with the rights that are generated -> all its work, and nothing refused") {
  fleet_bed bed{either_mode()};
  agent_process agent{HARMONY_AGENT, bed.agent_flags("pi-1"), bed.admin()};
  agent.start();
  agent.apply(file_at(bed.path("a"), "one"));
  REQUIRE(agent.converged());
  CHECK(read_file(bed.path("a")) == "one");
  REQUIRE(agent.await_beats(3));
  for (const char* verb : {"ping", "explain", "resync", "logs", "plan", "hold", "unhold"})
    CHECK_FALSE(answer_to(agent.link(), verb).empty());
  agent.apply(file_at(bed.path("a"), "two"));
  REQUIRE(agent.converged());
  CHECK(read_file(bed.path("a")) == "two");
  CHECK(agent.link().get(bucket::device_info, "pi-1", ample).value());
  CHECK(agent.stop() == 0);
  INFO(bed.server().log());
  CHECK(bed.server().log().find("Violation") == std::string::npos);
  CHECK(agent.log().find("refuses") == std::string::npos);
}

TEST_CASE("access: any one right taken away -> the agent misses it") {
  const auto rights = nats::device_rights("pi-1");
  auto all = rights.publish;
  all.insert(all.end(), rights.subscribe.begin(), rights.subscribe.end());
  CHECK(all.size() == 9);
  for (const auto& right : all) {
    CAPTURE(right);
    fleet_bed bed{trust_mode::static_keys};
    const auto violations = [&] {
      const auto text = bed.server().log();
      return text.find("Violation") != std::string::npos
             && text.find(right.substr(0, right.find_first_of(">*"))) != std::string::npos;
    };
    bed.server().kill();
    bed.server().configure(without(bed.config(), right));
    bed.server().start();
    agent_process agent{HARMONY_AGENT, bed.agent_flags("pi-1"), bed.admin()};
    agent.start();
    agent.apply(file_at(bed.path("a"), right));
    CHECK(eventually(violations, patience));
  }
}

TEST_CASE("access: subjects that are not a device's own -> each denied") {
  fleet_bed bed{either_mode()};
  bare_client pi{bed.device("pi-1")};
  for (const char* subject : {
         "$KV.desired-state.pi-1",
         "$KV.desired-state.pi-2",
         "$KV.actual-state.pi-2",
         "$KV.device-info.pi-2",
         "$JS.API.DIRECT.GET.KV_desired-state.$KV.desired-state.pi-2",
         "$JS.API.DIRECT.GET.KV_actual-state.$KV.actual-state.pi-2",
         "$JS.API.DIRECT.GET.KV_device-info.$KV.device-info.pi-2",
         "$KV.enrolment.abc",
         "$KV.enrolment-request.abc",
         "$JS.API.DIRECT.GET.KV_enrolment.$KV.enrolment.abc",
         "$JS.API.DIRECT.GET.KV_enrolment-request.$KV.enrolment-request.abc",
         "$JS.API.DIRECT.GET.KV_desired-state",
         "$JS.API.DIRECT.GET.heartbeats.hb.pi-1",
         "hb.pi-2",
         "cmd.pi-1.ping",
         "cmd.pi-2.ping",
         "desired-evt.pi-1",
         "desired-evt.pi-2",
         "_INBOX.pi-1.x",
         "_INBOX.pi-2.x",
         "$JS.API.INFO",
         "$JS.API.STREAM.LIST",
         "$JS.API.STREAM.NAMES",
         "$JS.API.STREAM.INFO.KV_desired-state",
         "$JS.API.STREAM.CREATE.mine",
         "$JS.API.STREAM.UPDATE.KV_desired-state",
         "$JS.API.STREAM.DELETE.KV_desired-state",
         "$JS.API.STREAM.PURGE.KV_desired-state",
         "$JS.API.STREAM.MSG.GET.KV_desired-state",
         "$JS.API.STREAM.MSG.DELETE.KV_desired-state",
         "$JS.API.STREAM.SNAPSHOT.KV_desired-state",
         "$JS.API.CONSUMER.CREATE.KV_desired-state",
         "$JS.API.CONSUMER.DURABLE.CREATE.KV_desired-state.mine",
         "$SYS.REQ.SERVER.PING",
         "$SYS.REQ.CLAIMS.UPDATE",
         "$SYS.REQ.ACCOUNT.PING.CONNZ",
         "anything",
       }) {
    INFO("publish to " << subject);
    CHECK(pi.publish_denied(subject));
  }
  for (const char* subject : {
         ">",
         "*",
         "$KV.>",
         "$KV.desired-state.pi-1",
         "$KV.desired-state.pi-2",
         "$KV.actual-state.>",
         "enrolment-evt.abc",
         "enrolment-request-evt.>",
         "desired-evt.*",
         "desired-evt.pi-2",
         "actual-evt.pi-2",
         "hb.*",
         "hb.pi-2",
         "cmd.>",
         "cmd.*.ping",
         "cmd.pi-2.*",
         "_INBOX.>",
         "_INBOX.*.x",
         "_INBOX.pi-2.>",
         "_R_.>",
         "$JS.>",
         "$JS.API.>",
         "$SYS.>",
         "$SYS.ACCOUNT.>",
         "anything",
       }) {
    INFO("subscription to " << subject);
    CHECK(pi.subscribe_denied(subject));
  }
  for (const auto& own : nats::device_rights("pi-1").publish) {
    INFO("publish to " << own);
    CHECK_FALSE(pi.publish_denied(own));
  }
}

TEST_CASE("access: operator and device over the store -> each its own, neither the other's") {
  fleet_bed bed{either_mode()};
  const auto op = open_as(bed.admin());
  const auto device = open_as(bed.device("pi-1"));
  REQUIRE(op->put(desired, "pi-1", "mine", 0, ample));
  REQUIRE(op->put(desired, "pi-2", "the other's", 0, ample));
  CHECK(device->get(desired, "pi-1", ample).value()->value == "mine");
  CHECK(code_of(device->get(desired, "pi-2", ample)) == ec::store_denied);
  CHECK(code_of(device->put(desired, "pi-1", "x", 1, ample)) == ec::store_denied);
  CHECK(code_of(device->put(bucket::actual_state, "pi-2", "x", 0, ample)) == ec::store_denied);
  CHECK(code_of(device->prepare(ample)) == ec::store_denied);
  CHECK(code_of(device->keys(desired, ample)) == ec::store_denied);
  CHECK(code_of(device->request("pi-2", "ping", "", ample)) == ec::store_denied);
  states state{*device};
  const auto watching = device->watch(desired, "pi-2", [](const auto&) {});
  REQUIRE(watching);
  CHECK(state.says(true, "desired-evt.pi-2"));
}

} // namespace harmony::test
