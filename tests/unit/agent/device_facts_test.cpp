#include "apps/agent/device_facts.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony::test {

TEST_CASE("device facts: -> what it is and what it can run") {
  driver_registry drivers;
  drivers.missing["Container"] = "podman is off in its configuration";
  drivers.drivers["ShellJob"] = nullptr;
  drivers.guard = std::make_shared<device_guard>();
  const auto facts = nlohmann::json::parse(device_facts("pi-1", drivers));
  CHECK(facts["agent"] == "pi-1");
  CHECK(facts["hardware"]["cpus"] >= 1);
  CHECK(facts["hardware"]["memoryBytes"] > 1'000'000);
  CHECK_FALSE(facts["os"]["kernel"].get<std::string>().empty());
  CHECK(facts["missing"]["Container"] == "podman is off in its configuration");
  CHECK(facts["denied"]["ShellJob"]
        == "policy.shell-jobs, which agent.toml does not set, does not allow kind ShellJob");
  CHECK_FALSE(facts.contains("sealingKey"));
  CHECK(nlohmann::json::parse(device_facts("pi-1", drivers, "x25519:k"))["sealingKey"]
        == "x25519:k");
}

} // namespace harmony::test
