// check: judging what was seen, and the command over a store in memory.
#include "apps/ctl/checkup.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "unit/ctl/fixture.hpp"

namespace harmony::ctl {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using test::store_call;

store_sight good_store() {
  store_sight s;
  s.url = "nats://x";
  s.buckets = {{bucket::desired_state, std::size_t{2}, outcome<void>{}},
               {bucket::actual_state, std::size_t{2}, {}}};
  s.agents = 2;
  s.beating = std::size_t{2};
  s.clock_lead = 20ms;
  return s;
}

agent_sight good_agent() {
  agent_sight a;
  a.record.agent = "pi-1";
  stored_manifest desired;
  desired.value.metadata.generation = 7;
  desired.written = noon - 1h;
  a.record.desired = desired;
  a.record.status = status_of("pi-1", agent_phase::converged, 7);
  a.record.status->resources[{"File", "a"}] = resource_at(resource_phase::ready);
  a.record.status_written = noon - 1h;
  a.record.beat = seen_heartbeat{{"00112233aabbccdd", 1, 7, agent_phase::converged}, noon - 3s};
  a.answer = ping_result{};
  return a;
}

/// The finding of this subject; requires that there is one.
finding of(const findings& all, const std::string& subject) {
  for (const auto& each : all)
    if (each.subject == subject)
      return each;
  FAIL("no finding about '" << subject << "'");
  return {};
}

finding store_finding(const store_sight& s, const std::string& subject) {
  auto found = of(judge(s), subject);
  CHECK(found.remedy.empty() == (found.result == verdict::ok));
  return found;
}

finding agent_finding(const agent_sight& a, const std::string& subject) {
  auto found = of(judge(a, noon), subject);
  CHECK(found.remedy.empty() == (found.result == verdict::ok));
  return found;
}

TEST_CASE("judge store: all well -> ok; unreachable -> that alone") {
  CHECK(worst(judge(good_store())) == verdict::ok);
  auto s = good_store();
  s.unreachable = failure{ec::store_unavailable, "connection refused"};
  const auto all = judge(s);
  REQUIRE(all.size() == 1);
  CHECK(all[0].result == verdict::fail);
  CHECK(all[0].message == "connection refused");
}

TEST_CASE("judge store: a bucket missing, unreadable or read-only -> fail with the remedy") {
  auto s = good_store();
  s.buckets[0].keys = failure{ec::bucket_not_found, "no bucket"};
  CHECK_THAT(store_finding(s, "bucket desired-state").remedy, Contains("harmonyctl init"));
  s = good_store();
  s.buckets[0].write = outcome<void>{failure{ec::store_denied, "not permitted"}};
  const auto denied = store_finding(s, "bucket desired-state");
  CHECK(denied.result == verdict::fail);
  CHECK_THAT(denied.message, Contains("cannot be written: not permitted"));
  CHECK_THAT(denied.remedy, Contains("--creds"));
  CHECK(store_finding(s, "bucket actual-state").result == verdict::ok);
}

TEST_CASE("judge store: heartbeats unreadable -> fail; some agents silent -> warn") {
  auto s = good_store();
  s.beating = std::size_t{1};
  CHECK(store_finding(s, "heartbeats").result == verdict::warn);
  CHECK_THAT(store_finding(s, "heartbeats").message, Contains("1 agent of 2"));
  s.beating = failure{ec::store_denied, "no right"};
  CHECK(store_finding(s, "heartbeats").result == verdict::fail);
}

TEST_CASE("judge store: clocks -> ok within 5 s, warn within 5 min, fail beyond, either way") {
  auto s = good_store();
  const auto with = [&](std::optional<std::chrono::milliseconds> lead) {
    s.clock_lead = lead;
    return store_finding(s, "clock");
  };
  CHECK(with(std::nullopt).result == verdict::ok);
  CHECK(with(4999ms).result == verdict::ok);
  CHECK(with(-4999ms).result == verdict::ok);
  CHECK(with(5s).result == verdict::warn);
  CHECK(with(-299s).result == verdict::warn);
  CHECK(with(5min).result == verdict::fail);
  CHECK_THAT(with(-5min).message, Contains("5m behind"));
  CHECK_THAT(with(6s).message, Contains("6s ahead of"));
}

TEST_CASE("judge agent: all well -> ok; unknown -> that alone") {
  CHECK(worst(judge(good_agent(), noon)) == verdict::ok);
  agent_sight nobody;
  nobody.record.agent = "pi-9";
  const auto all = judge(nobody, noon);
  REQUIRE(all.size() == 1);
  CHECK(all[0].result == verdict::fail);
}

TEST_CASE("judge agent: heartbeat -> fail when old or never seen") {
  auto a = good_agent();
  a.record.beat->at = noon - 31s;
  CHECK_THAT(agent_finding(a, "heartbeat").message, Contains("31s old"));
  CHECK(agent_finding(a, "heartbeat").result == verdict::fail);
  a.record.beat.reset();
  CHECK(agent_finding(a, "heartbeat").result == verdict::fail);
}

TEST_CASE("judge agent: commands -> warn where nobody serves them, fail where none answers") {
  auto a = good_agent();
  a.answer = failure{ec::agent_unreachable, "nobody serves"};
  CHECK(agent_finding(a, "commands").result == verdict::warn);
  a.answer = failure{ec::timed_out, "no answer"};
  CHECK(agent_finding(a, "commands").result == verdict::fail);
}

TEST_CASE("judge agent: status -> of an earlier run: warn; none or unreadable: fail") {
  auto a = good_agent();
  a.record.beat->value.boot_id = "ffffffffffffffff";
  CHECK(agent_finding(a, "status").result == verdict::warn);
  a.record.status.reset();
  CHECK(agent_finding(a, "status").result == verdict::fail);
  a.record.status_fault = "not JSON";
  CHECK_THAT(agent_finding(a, "status").message, Contains("not JSON"));
}

TEST_CASE("judge agent: generation -> an older one in force is a failure after 90 s") {
  auto a = good_agent();
  a.record.status->observed_generation = 6;
  a.record.desired->written = noon - 89s;
  CHECK(agent_finding(a, "generation").result == verdict::ok);
  a.record.desired->written = noon - 90s;
  const auto late = agent_finding(a, "generation");
  CHECK(late.result == verdict::fail);
  CHECK_THAT(late.message, Contains("6 is in force, and 7 was written 1m30s ago"));
  a.record.desired.reset();
  CHECK(agent_finding(a, "generation").result == verdict::warn);
  a.record.desired_fault = "no JSON";
  CHECK(agent_finding(a, "generation").result == verdict::fail);
}

TEST_CASE("judge agent: conditions and resources -> each fault by its name") {
  auto a = good_agent();
  auto& s = *a.record.status;
  const timestamp then = std::chrono::floor<std::chrono::milliseconds>(noon - 2min);
  s.conditions = {{"StateDegraded", condition_state::true_, "DiskFull", "no space", then},
                  {"Held", condition_state::true_, "HeldByOperator", "1 resource", then},
                  {"ManifestAccepted", condition_state::true_, "Accepted", {}, then}};
  CHECK(agent_finding(a, "StateDegraded").result == verdict::fail);
  CHECK(agent_finding(a, "StateDegraded").message == "DiskFull for 2m: no space");
  CHECK(agent_finding(a, "Held").result == verdict::warn);
  for (const auto& each : judge(a, noon))
    CHECK(each.subject != "ManifestAccepted");

  s.resources[{"File", "b"}] = resource_at(resource_phase::failed, "DiskFull");
  s.phase = agent_phase::degraded;
  CHECK(agent_finding(a, "resources").result == verdict::fail);
  CHECK_THAT(agent_finding(a, "resources").message, Contains("1 of 2 not ready: File/b"));
  s.phase = agent_phase::converging;
  CHECK(agent_finding(a, "resources").result == verdict::warn);
}

TEST_CASE("judge store: credentials -> until when; ended: said, also where it refuses them") {
  auto s = good_store();
  s.now = std::chrono::floor<milliseconds>(noon);
  const auto at = std::chrono::floor<std::chrono::seconds>(noon);
  const auto with = [&](std::optional<std::chrono::sys_seconds> end) {
    s.credentials = outcome<jwt_head>{jwt_head{"ann", "U1", at - 24h, end}};
    return store_finding(s, "credentials");
  };
  CHECK_THAT(with({}).message, Contains("those of 'ann', without an end"));
  CHECK(with(at + 24h).result == verdict::warn);
  CHECK_THAT(with(at + 24h).remedy, Contains("harmonyctl credentials"));
  s.unreachable = failure{ec::store_unavailable, "Authorization Violation"};
  CHECK(with(at).result == verdict::fail);
  CHECK(of(judge(s), "store").result == verdict::fail);
  s.credentials = outcome<jwt_head>{failure{ec::permission_denied, "chmod 0600 x"}};
  CHECK_THAT(store_finding(s, "credentials").message, Contains("chmod 0600"));
}

TEST_CASE("judge agent: signatures -> whose; not asked for: said; not verified: what to do") {
  auto a = good_agent();
  for (const auto& each : judge(a, noon))
    CHECK(each.subject != "signatures"); // an agent that does not say
  auto& all = a.record.status->conditions;
  all = {{"ManifestVerified", condition_state::true_, "Signed", "generation 7 by alice", {}}};
  CHECK(agent_finding(a, "signatures").message == "generation 7 by alice");
  all = {{"ManifestVerified", condition_state::false_, "NoPinnedKeys", "without a signature", {}}};
  CHECK(agent_finding(a, "signatures").result == verdict::ok);
  all = {{"ManifestVerified", condition_state::false_, "SignatureInvalid", "only alice", {}},
         {"DesiredStale", condition_state::true_, "Expired", "ended", {}},
         {"AuditDegraded", condition_state::true_, "DiskFull", "full", {}}};
  CHECK_THAT(agent_finding(a, "ManifestVerified").remedy, Contains("docs/signing.md"));
  CHECK_THAT(agent_finding(a, "DesiredStale").remedy, Contains("docs/signing.md"));
  CHECK_THAT(agent_finding(a, "AuditDegraded").remedy, Contains("disk-full"));
}

TEST_CASE("check: a store without buckets -> 1 and what to do; prepared -> 0") {
  terminal bare{false};
  CHECK(bare.run({"check"}) == 1);
  CHECK_THAT(bare.out, Contains("FAIL bucket desired-state"));
  CHECK_THAT(bare.out, Contains("harmonyctl init"));
  terminal t;
  CHECK(t.run({"check"}) == 0);
  CHECK_THAT(t.out, Contains("All is well."));
  CHECK(t.at().keys(bucket::desired_state, soon)->empty()); // the trial left nothing
}

TEST_CASE("check: writing is denied -> 1; the connection is gone -> 1") {
  terminal t;
  t.at().fail_next(store_call::put, {ec::store_denied, "not permitted"});
  CHECK(t.run({"check"}) == 1);
  CHECK_THAT(t.out, Contains("not permitted"));
  t.at().set_connected(false);
  CHECK(t.run({"check", "--timeout", "50ms"}) == 1);
  CHECK_THAT(t.out, Contains("FAIL store"));
}

TEST_CASE("check AGENT: in order -> 0; offline, or not known -> 1; JSON for programs") {
  terminal t;
  REQUIRE(t.run({"apply", "-f", "-"}, yaml_of("pi-1", {"a"})) == 0);
  auto s = status_of("pi-1", agent_phase::converged, 1);
  s.resources[{"File", "a"}] = resource_at(resource_phase::ready);
  report(t.at(), s);
  beat(t.at(), s);
  CHECK(t.run({"check", "pi-1", "--timeout", "50ms"}) == 0);
  CHECK_THAT(t.out, Contains("OK   generation"));
  CHECK_THAT(t.out, Contains("WARN commands"));
  CHECK(t.run({"check", "pi-9", "--timeout", "50ms"}) == 1);
  t.now = noon + 31s;
  CHECK(t.run({"check", "pi-1", "--timeout", "50ms", "-o", "json"}) == 1);
  const auto value = json::parse(t.out);
  CHECK(value["result"] == "FAIL");
  CHECK(value["checks"][0]["check"] == "store");
}

} // namespace
} // namespace harmony::ctl
