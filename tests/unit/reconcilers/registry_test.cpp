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

TEST_CASE("registry: kind that is denied -> none to apply it, its driver to remove, NotAllowed") {
  job_topology topology;
  driver_registry all;
  all.drivers["ShellJob"] = std::make_shared<job_driver>(topology, shell_job_config{});
  CHECK(all.find("ShellJob") == all.drivers["ShellJob"].get());
  all.denied["ShellJob"] = "the setting";
  CHECK(all.find("ShellJob") == nullptr);
  CHECK(all.owner_of("ShellJob") == all.drivers["ShellJob"].get());
  CHECK(all.why_missing("ShellJob").code == ec::not_allowed);
  CHECK(all.owner_of("Widget") == nullptr);
  CHECK(all.why_missing("Widget").code == ec::capability_missing);
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
