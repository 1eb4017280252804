#include "topology/cluster_monitor.hpp"

#include "support/catch.hpp"
#include "support/hint_log.hpp"

namespace harmony::test {
namespace {

using facts = std::vector<runtime_fact>;

class told_clusters final : public cluster_runtime {
public:
  cluster_look orders;
  bool away = false;
  std::function<void(const std::string&)> sink;

  outcome<cluster_look> look(const std::string& cluster) override {
    if (away)
      return {ec::runtime_unavailable, "away"};
    return cluster == "orders" ? orders : cluster_look{};
  }
  void on_change(std::function<void(const std::string&)> to) override { sink = std::move(to); }
  outcome<void> prepare(const postgres_cluster_spec&, const call_limits&) override { return {}; }
  outcome<void> run(const postgres_cluster_spec&, const call_limits&) override { return {}; }
  outcome<void> end(const std::string&, const call_limits&) override { return {}; }
};

TEST_CASE("cluster monitor: what the runtime tells -> hints, of what is watched, until it stops") {
  const auto runtime = std::make_shared<told_clusters>();
  hint_log hints;
  cluster_monitor monitor{runtime};
  monitor.start(hints.sink());
  monitor.watch({"orders"});
  runtime->sink("bills");
  runtime->sink("orders");
  CHECK(hints.wait_for("orders"));
  CHECK_FALSE(hints.wait_for("bills", std::chrono::milliseconds{0}));
  monitor.stop();
  CHECK_FALSE(runtime->sink);
}

TEST_CASE("cluster monitor: relist -> the looks of what is watched, without the declaration") {
  const auto runtime = std::make_shared<told_clusters>();
  cluster_monitor monitor{runtime};
  const auto relist = [&] { return monitor.relist(std::chrono::seconds{10}); };
  CHECK(relist().value().empty());
  monitor.watch({"orders", "bills"});
  CHECK(relist().value() == facts{{"bills", ""}, {"orders", ""}});
  runtime->orders = {postgres_cluster_spec{}, true, "standby", "lags 0"};
  CHECK(relist().value() == facts{{"bills", ""}, {"orders", "standby well lags 0"}});
  runtime->orders.well = false;
  CHECK(relist().value()[1].fingerprint == "standby not well lags 0");
  runtime->away = true;
  CHECK(relist().error().code == ec::runtime_unavailable);
}

} // namespace
} // namespace harmony::test
