#include "reconcilers/registry.hpp"

#include "shell_job_fake.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

struct job_topology {
  fake_jobs manager;
  fake_jobs& jobs() { return manager; }
};

using job_driver = driver_of<shell_job_reconciler<job_topology>>;

} // namespace

TEST_CASE("registry: what the policy refuses -> NotAllowed; its driver is there, to remove") {
  job_topology topology;
  driver_registry all;
  all.drivers["ShellJob"] = std::make_shared<job_driver>(topology, shell_job_config{});
  resource job;
  job.id = {"ShellJob", "once"};
  job.spec = shell_job_spec{};
  CHECK_FALSE(all.why_not(job));
  all.guard = std::make_shared<device_guard>();
  REQUIRE(all.why_not(job));
  CHECK(all.why_not(job)->code == ec::not_allowed);
  CHECK(all.find("ShellJob") == all.drivers["ShellJob"].get());
  resource other;
  other.id = {"Widget", "w"};
  CHECK(all.why_not(other)->code == ec::capability_missing);
  CHECK(all.find("Widget") == nullptr);
}

TEST_CASE("driver: kind with an apply limit of its own -> told for each resource") {
  job_topology topology;
  const job_driver driver{topology, shell_job_config{}};
  resource r{{"ShellJob", "once"}, {}, {}, {}, {}, {}, shell_job_spec{}, {}};
  CHECK(driver.target(r) == job_service);
  CHECK(driver.apply_limit(r) == std::chrono::seconds{360});
  std::get<shell_job_spec>(r.spec).timeout = 86400;
  CHECK(driver.apply_limit(r) == std::chrono::seconds{86460});
}

} // namespace harmony::test
