// What a device runs of clusters: begun, changed and ended by a resource.

#include "failover/host.hpp"
#include "failover/translate.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/temp_dir.hpp"
#include "unit/failover/fakes.hpp"

using namespace harmony;
using namespace harmony::failover;
using namespace harmony::failover::test;
using namespace std::chrono_literals;
using harmony::test::eventually;

namespace {

postgres_cluster_spec spec_of_a() {
  postgres_cluster_spec s;
  s.cluster = "main";
  s.member = "a";
  s.members = {{"a", "127.0.0.1", 5432}, {"b", "127.0.0.1", 5433}};
  s.data_dir = "/nowhere";
  s.bootstrap = true;
  s.timings = {1500, 100, 200, 1700, 50, 400};
  return s;
}

struct device {
  harmony::test::temp_dir folder;
  std::shared_ptr<shared_store> store = std::make_shared<shared_store>();
  std::shared_ptr<fake_postgres> postgres = std::make_shared<fake_postgres>();
  std::atomic<int> begun{0}, changes{0};
  std::optional<harmony::failure> no_store;
  host clusters;

  device() : clusters(parts()) {
    clusters.on_change([this](const std::string&) { ++changes; });
  }

  host_parts parts() {
    host_parts p;
    p.state_dir = folder.str();
    p.guard_dir = folder.str();
    p.store = [this](const member_settings& m) -> outcome<std::shared_ptr<lease_store>> {
      ++begun;
      if (no_store)
        return *no_store;
      return std::shared_ptr<lease_store>{std::make_shared<fake_store>(store, m.node)};
    };
    p.postgres = [this](const member_settings&) { return postgres; };
    p.prepare = [](const auto&, const auto&, const auto&) { return outcome<void>{}; };
    p.audit = [](const std::string&, const fx::audit&) {};
    p.alarm = [](const std::string&, const std::string&) {};
    return p;
  }

  bool has_primary() {
    return eventually([&] { return clusters.look("main")->role == "primary"; }, 20s);
  }
};

} // namespace

TEST_CASE("host: what is not asked for does not run") {
  device d;
  CHECK(d.clusters.look("main").value() == cluster_look{});
  CHECK(d.clusters.end("main", {}).ok());
}

TEST_CASE("host: a cluster runs, and the same again changes nothing") {
  device d;
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  REQUIRE(d.has_primary());
  const auto found = d.clusters.look("main").value();
  CHECK(found.runs == spec_of_a());
  CHECK(found.well);
  CHECK(found.detail.find("primary, epoch 1") == 0);
  CHECK(d.changes > 0);
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  CHECK(d.begun == 1);
}

TEST_CASE("host: its conduct changes in place; for the rest it begins anew with the same lease") {
  device d;
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  REQUIRE(d.has_primary());
  const auto incarnation = d.store->lease()->incarnation;
  auto spec = spec_of_a();
  spec.priority = 7;
  REQUIRE(d.clusters.run(spec, {}).ok());
  CHECK(d.begun == 1);
  CHECK(d.clusters.look("main")->runs == spec);
  spec.parameters["work_mem"] = "8MB";
  REQUIRE(d.clusters.run(spec, {}).ok());
  CHECK(d.begun == 2);
  REQUIRE(d.has_primary());
  CHECK(d.store->lease()->incarnation == incarnation);
  const auto orders = d.postgres->orders();
  CHECK(std::count(orders.begin(), orders.end(), "stop") == 0);
}

TEST_CASE("host: an end stops PostgreSQL and gives the lease away") {
  device d;
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  REQUIRE(d.has_primary());
  REQUIRE(d.clusters.end("main", {{}, std::chrono::steady_clock::now() + 20s}).ok());
  CHECK(d.store->lease()->state == lease_state::released);
  CHECK_FALSE(d.postgres->state().running);
  CHECK(d.clusters.look("main").value() == cluster_look{});
}

TEST_CASE("host: timings that are not safe are refused by name, and stop nothing") {
  device d;
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  auto spec = spec_of_a();
  spec.timings.window = 1500;
  const auto done = d.clusters.run(spec, {});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::invalid_spec);
  CHECK(done.error().message.find("window") != std::string::npos);
  CHECK(d.clusters.look("main")->runs == spec_of_a());
}

TEST_CASE("host: a port that is taken stops nothing") {
  device d;
  REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
  const auto other = health_server::start("127.0.0.1", 0, [] { return member_view{}; });
  REQUIRE(other.ok());
  auto spec = spec_of_a();
  spec.endpoint.port = static_cast<std::uint16_t>((*other)->port());
  const auto done = d.clusters.run(spec, {});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == ec::port_in_use);
  CHECK(d.clusters.look("main")->runs == spec_of_a());
}

TEST_CASE("host: without a store it says why") {
  device d;
  d.no_store = failure{ec::invalid_spec, "no NATS"};
  const auto done = d.clusters.run(spec_of_a(), {});
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().message == "no NATS");
  CHECK_FALSE(d.clusters.look("main")->runs);
}

TEST_CASE("host: when it goes a primary hands over, and its lease is free") {
  auto store = std::make_shared<shared_store>();
  {
    device d;
    d.store = store;
    REQUIRE(d.clusters.run(spec_of_a(), {}).ok());
    REQUIRE(d.has_primary());
  }
  CHECK(store->lease()->state == lease_state::released);
}
