#pragma once

// A device that runs members of PostgreSQL clusters, in memory but for the guard's conf.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "reconcilers/postgres_cluster.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"
#include "systemd_unit_fake.hpp"

namespace harmony::test {

/// Runs members at once and well, and forgets them with the agent. `log` is the device's.
class fake_clusters final : public cluster_runtime {
public:
  std::map<std::string, cluster_look> members;
  std::map<std::string, failure> failures; ///< by call: it fails like this
  std::function<void(const std::string& call)> before = [](const std::string&) {};
  std::function<void(const std::string& call)> after = [](const std::string&) {};
  std::function<void(const std::string& cluster)> told = [](const std::string&) {};

  outcome<cluster_look> look(const std::string& cluster) override { return members[cluster]; }
  void on_change(std::function<void(const std::string& cluster)> sink) override {
    told = sink ? std::move(sink) : [](const std::string&) {};
  }
  outcome<void> prepare(const postgres_cluster_spec& spec, const call_limits& /*limits*/) override {
    return call("prepare " + spec.data_dir, [] {});
  }
  outcome<void> run(const postgres_cluster_spec& spec, const call_limits& /*limits*/) override {
    return call("run " + spec.cluster, [&] {
      members[spec.cluster] = {spec, true, "primary", "timeline 1"};
    });
  }
  outcome<void> end(const std::string& cluster, const call_limits& /*limits*/) override {
    return call("end " + cluster, [&] { members.erase(cluster); });
  }

private:
  outcome<void> call(const std::string& what, const std::function<void()>& effect) {
    before(what);
    if (const auto found = failures.find(what.substr(0, what.find(' '))); found != failures.end())
      return found->second;
    effect();
    after(what);
    return {};
  }
};

struct cluster_device {
  fake_clusters runtime;
  fake_systemd manager;
  cluster_runtime& clusters() { return runtime; }
  systemd_port& systemd() { return manager; }
};

inline const std::string guard_unit = "harmony-pgguard@orders.service";

struct cluster_world {
  temp_dir folder;
  cluster_device device;
  memory_inventory owned;
  std::vector<std::string> log; ///< what changed something, in order
  driver_of<postgres_cluster_reconciler<cluster_device>> subject{
    device, postgres_guard_config{true, folder.path()}};
  op_context ctx{"dev", owned, {}};
  desired<resource_spec> want{{"PostgresCluster", "db"}, postgres_cluster_spec{}, {}, {}};

  cluster_world() {
    auto& s = spec();
    s.cluster = "orders";
    s.member = "a";
    s.members = {{"a", "10.0.0.1", 5432}, {"b", "10.0.0.2", 5432}};
    s.data_dir = "/srv/pg";
    install("orders");
    watch([](const std::string&) {});
  }

  postgres_cluster_spec& spec() { return std::get<postgres_cluster_spec>(want.spec); }
  fake_clusters& runtime() { return device.runtime; }
  fake_systemd::unit& guard() { return device.manager.units[guard_unit]; }
  std::filesystem::path conf(const std::string& cluster = "orders") {
    return folder.path() / (cluster + ".conf");
  }
  /// The template's instance, as the fake knows units.
  void install(const std::string& cluster) {
    write_file(device.manager.folder.path() / ("harmony-pgguard@" + cluster + ".service"),
               "[Service]\n[Install]\n");
  }

  /// Calls `step` before and after each change.
  void watch(const std::function<void(const std::string&)>& step) {
    const auto begins = [this, step](const std::string& what) {
      step(what);
      log.push_back(what);
    };
    runtime().before = device.manager.before = begins;
    runtime().after = device.manager.after = step;
    owned.before = [begins](const char* what) {
      begins(what);
      return outcome<void>{};
    };
    owned.after = [step](const char* what) { step(what); };
  }

  observation look() {
    auto seen = subject.observe(want, ctx);
    REQUIRE(seen.ok());
    return *seen;
  }
  outcome<void> converge() {
    const auto seen = look();
    if (seen.obstacle)
      return *seen.obstacle;
    return seen.changes.empty() ? outcome<void>{} : subject.apply(want, seen.changes, ctx);
  }
  outcome<void> leave() {
    for (const auto& t : owned.of(want.id))
      if (auto done = subject.remove(t, ctx); !done)
        return done;
    return {};
  }
  /// What an agent that is started again has of its members.
  void restart_agent() { runtime().members.clear(); }
};

using steps = std::vector<std::string>;

} // namespace harmony::test
