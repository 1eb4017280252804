#include "failover/health_server.hpp"
#include "failover/view.hpp"
#include "support/catch.hpp"
#include "unit/failover/fakes.hpp"

#include <httplib.h>

using namespace harmony::failover;
using namespace harmony::failover::test;
using namespace std::chrono_literals;

namespace {

const instant now{1h};

machine standby_of_a() {
  machine m;
  lease_record r;
  r.epoch = 7;
  r.holder = r.primary = "a";
  r.state = lease_state::held;
  r.flush_lsn = 5000;
  r.sync = {1, {"b"}};
  m.kept.newest = r;
  m.why_not = refusal::window_running;
  postgres pg;
  pg.running = true;
  pg.timeline = 3;
  pg.received = 4000;
  pg.receives = true;
  pg.upstream = "a";
  m.pg = pg;
  return m;
}

machine primary_a() {
  auto m = standby_of_a();
  m.at = phase::holding;
  m.lease = own_lease{};
  m.guard_deadline = now + 1s;
  m.pg->in_recovery = false;
  m.pg->flushed = 5000;
  return m;
}

} // namespace

TEST_CASE("view: a standby that streams is well") {
  const auto v = view_of(standby_of_a(), config_of("b"), now);
  CHECK(v.role == "standby");
  CHECK(v.well);
  CHECK(v.synchronous);
  CHECK(v.lag == 1000);
  CHECK(sentence(v) == "standby of a, epoch 7, timeline 3");
  CHECK(answer_of(v, "/replica").status == 200);
  CHECK(answer_of(v, "/replica", 999).status == 503);
  CHECK(answer_of(v, "/sync").status == 200);
  CHECK(answer_of(v, "/health").status == 200);
  CHECK(answer_of(v, "/primary").status == 503);
  CHECK(answer_of(v, "/nothing").status == 404);
}

TEST_CASE("view: a primary is one only under a live deadline") {
  const auto m = primary_a();
  const auto v = view_of(m, config_of("a"), now);
  CHECK(v.role == "primary");
  CHECK(sentence(v) == "primary, epoch 7, timeline 3");
  CHECK(answer_of(v, "/primary").status == 200);
  CHECK(answer_of(v, "/").status == 200);
  CHECK(answer_of(v, "/replica").status == 503);
  const auto late = view_of(m, config_of("a"), now + 1s);
  CHECK(late.role != "primary");
  CHECK_FALSE(late.well);
  CHECK(answer_of(late, "/primary").status == 503);
}

TEST_CASE("view: a standby that does not stream says why it does not take over") {
  auto m = standby_of_a();
  m.pg->receives = false;
  m.kept.newest->state = lease_state::released;
  m.why_not = refusal::not_a_member;
  const auto v = view_of(m, config_of("c"), now);
  CHECK_FALSE(v.well);
  CHECK(sentence(v).find("there is no primary; NotAMember: ") != std::string::npos);
  m.kept.newest->state = lease_state::held; // by one that died
  CHECK(sentence(view_of(m, config_of("c"), now)).find("; NotAMember: ") != std::string::npos);
  m.why_not = refusal::window_running;
  CHECK(sentence(view_of(m, config_of("c"), now)).find("WindowRunning") == std::string::npos);
  m.pg->running = false;
  CHECK(view_of(m, config_of("c"), now).role == "stopped");
}

TEST_CASE("view: what is amiss with PostgreSQL comes last") {
  auto v = view_of(standby_of_a(), config_of("b"), now);
  const auto before = sentence(v);
  v.trouble = "'max_connections' wait for a restart of PostgreSQL";
  CHECK(sentence(v) == before + "; " + v.trouble);
}

TEST_CASE("health: it is told over HTTP") {
  auto server = health_server::start("127.0.0.1", 0,
                                     [] { return view_of(standby_of_a(), config_of("b"), now); });
  REQUIRE(server.ok());
  const auto taken =
    health_server::start("127.0.0.1", (*server)->port(), [] { return member_view{}; });
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == harmony::ec::port_in_use);

  httplib::Client client{"127.0.0.1", (*server)->port()};
  const auto replica = client.Get("/replica?lag=1000");
  REQUIRE(replica);
  CHECK(replica->status == 200);
  CHECK(replica->body.find("\"role\":\"standby\"") != std::string::npos);
  CHECK(client.Get("/replica?lag=much")->status == 400);
  CHECK(client.Get("/primary")->status == 503);
  CHECK(client.Head("/replica")->status == 200);
  CHECK(client.Options("/primary")->status == 503);
}
