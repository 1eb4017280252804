// What is to be done for a member: the table is in docs/reconcilers/postgres-cluster.md.

#include "reconcilers/postgres_cluster.hpp"
#include "unit/reconcilers/plan_table.hpp"

namespace harmony::test {

namespace {

constexpr auto conf = "/etc/harmony-agent/pgguard/orders.conf";

struct member_case {
  desired<postgres_cluster_spec> want{{"PostgresCluster", "db"}, {}, {}, {}};
  postgres_cluster_observed seen;

  member_case() {
    auto& s = want.spec;
    s.cluster = "orders";
    s.member = "a";
    s.members = {{"a", "10.0.0.1", 5432}, {"b", "10.0.0.2", 5432}};
    s.data_dir = "/srv/pg";
    seen.member = {s, true, "standby", {}};
    seen.recorded = true;
    seen.guard.managed = true;
    seen.guard.path = conf;
    seen.guard.conf = unit_file_owner::ours;
    seen.guard.content = postgres_guard::content_of(s);
    seen.guard.unit.load_state = "loaded";
    seen.guard.unit.active_state = "active";
    seen.guard.unit.sub_state = "running";
    seen.guard.unit.unit_file_state = "enabled";
  }
};

secret_ref password(const std::string& value) {
  return {secret_source::file, "pw", secret_bytes{std::string{value}}};
}

vocabulary<member_case> member_now() {
  using text = const std::string&;
  return {
    {"in place", [](member_case&, text) {}},
    {"nothing",
     [](member_case& it, text) {
       it.seen.member = {};
       it.seen.recorded = false;
       it.seen.guard.conf = unit_file_owner::none;
       it.seen.guard.content.clear();
       it.seen.guard.unit.active_state = "inactive";
       it.seen.guard.unit.sub_state = "dead";
       it.seen.guard.unit.unit_file_state = "disabled";
     }},
    {"not running", [](member_case& it, text) { it.seen.member = {}; }},
    {"not well", [](member_case& it, text) { it.seen.member.well = false; }},
    {"not on record", [](member_case& it, text) { it.seen.recorded = false; }},
    {"unmanaged guard", [](member_case& it, text) { it.seen.guard = {}; }},
    {"conf has more", [](member_case& it, text) { it.seen.guard.content += "X=1\n"; }},
    {"no conf",
     [](member_case& it, text) {
       it.seen.guard.conf = unit_file_owner::none;
       it.seen.guard.content.clear();
     }},
    {"foreign conf", [](member_case& it, text) { it.seen.guard.conf = unit_file_owner::foreign; }},
    {"disabled", [](member_case& it, text) { it.seen.guard.unit.unit_file_state = "disabled"; }},
    {"guard failed",
     [](member_case& it, text) {
       it.seen.guard.unit.active_state = it.seen.guard.unit.sub_state = "failed";
     }},
    {"guard activating",
     [](member_case& it, text) { it.seen.guard.unit.active_state = "activating"; }},
    {"guard masked", [](member_case& it, text) { it.seen.guard.unit.load_state = "masked"; }},
    {"guard not installed",
     [](member_case& it, text) { it.seen.guard.unit.load_state = "not-found"; }},
    {"password ", [](member_case& it,
                     text value) { it.seen.member.runs->replication_password = password(value); }},
  };
}

vocabulary<member_case> member_wanted() {
  using text = const std::string&;
  const auto number = [](text value) { return static_cast<std::uint32_t>(std::stoul(value)); };
  return {
    {"the same", [](member_case&, text) {}},
    {"priority ", [=](member_case& it, text value) { it.want.spec.priority = number(value); }},
    {"max lag ", [=](member_case& it, text value) { it.want.spec.max_lag = number(value); }},
    {"data in ", [](member_case& it, text value) { it.want.spec.data_dir = value; }},
    {"window ", [=](member_case& it, text value) { it.want.spec.timings.window = number(value); }},
    {"lease ", [=](member_case& it, text value) { it.want.spec.timings.lease = number(value); }},
    {"password ",
     [](member_case& it, text value) { it.want.spec.replication_password = password(value); }},
  };
}

} // namespace

TEST_CASE("postgres cluster plan: the table in docs/reconcilers -> the planner's answers") {
  check_plans<member_case>(
    "postgres-cluster", {}, member_now(), member_wanted(),
    [](const member_case& it) { return postgres_cluster_operations::plan(it.want, it.seen); },
    {{conf, "CONF"}});
}

TEST_CASE("postgres cluster plan: periods that break an inequality -> named, with the figures") {
  member_case it;
  it.want.spec.timings.window = 1000;
  const auto no = postgres_cluster_operations::plan(it.want, it.seen);
  REQUIRE_FALSE(no);
  CHECK_THAT(no.error().message,
             Catch::Contains("window >= lease") && Catch::Contains("1000 ms < 3160 ms"));
}

} // namespace harmony::test
