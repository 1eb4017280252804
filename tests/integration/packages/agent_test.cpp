// Packages and accounts through the agent's own binary.

#include <filesystem>

#include "integration/packages/package_bed.hpp"
#include "support/agent_process.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {
namespace {

using Catch::Matchers::Contains;

std::string package_json(const std::string& name, const std::string& version = {}) {
  return R"({"kind":"Package","name":")" + name + R"(","spec":{"package":")" + name + '"'
         + (version.empty() ? "" : R"(,"version":")" + version + '"') + "}}";
}

const std::string user_json =
  R"({"kind":"User","name":"app","dependsOn":["Package/ht-web"],)"
  R"("spec":{"user":"hu-app","groups":["hu-web"],"shell":"/bin/bash","system":true}})";

TEST_CASE("agent: a package and a user of its group -> converged in order, healed, collected") {
  reset_repository();
  int ignored = 0;
  shell("userdel hu-app; groupdel hu-app; groupdel hu-web", &ignored);
  publish({"ht-web", "1.0", {}, "getent group hu-web >/dev/null || groupadd hu-web"});
  publish({"ht-web", "2.0"});
  agent_process agent{HARMONY_AGENT, {"--podman", "off"}};
  agent.start();
  agent.apply(package_json("ht-web", "1.0") + "," + user_json);
  REQUIRE(agent.converged());
  CHECK(must("dpkg-query -W -f '${Version}' ht-web") == "1.0");
  CHECK_THAT(must("id hu-app"), Contains("hu-web"));

  must("dpkg --remove ht-web");
  CHECK(
    eventually([] { return std::filesystem::exists("/usr/share/ht-web/version"); }, seconds{20}));
  must("usermod -s /bin/sh hu-app");
  CHECK(eventually([] { return must("getent passwd hu-app").find("bash") != std::string::npos; },
                   seconds{20}));

  agent.apply(package_json("ht-web", "2.0") + "," + user_json + "," + package_json("ht-nosuch"));
  CHECK(agent.await_standing("Package/ht-nosuch", "Failed PackageNotFound")
        == "Failed PackageNotFound");
  CHECK(agent.await_standing("Package/ht-web", "Ready") == "Ready");
  CHECK(must("dpkg-query -W -f '${Version}' ht-web") == "2.0");

  agent.kill();
  agent.start();
  agent.apply(R"({"kind":"File","name":"f","spec":{"path":"/run/ht-f","content":""}})");
  REQUIRE(agent.converged());
  CHECK(eventually([] {
    int gone = 0;
    shell("getent passwd hu-app || dpkg-query -W ht-web", &gone);
    return gone != 0;
  }));
  CHECK_FALSE(std::filesystem::exists("/usr/share/ht-web"));
  CHECK(agent.stop() == 0);
  must("groupdel hu-web");
}

} // namespace
} // namespace harmony::test
