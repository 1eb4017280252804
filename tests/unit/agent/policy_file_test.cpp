#include "apps/agent/policy_file.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "apps/agent/config_text.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;

struct config {
  explicit config(const std::string& text) : path((folder / "agent.toml").string()) {
    write_file(path, text);
  }
  /// As the agent reads it.
  [[nodiscard]] outcome<device_policy> read() const {
    const auto text = read_config_text(path);
    return text ? read_policy(*text, path) : text.error();
  }
  [[nodiscard]] std::string fault() const {
    const auto read = this->read();
    return read ? "valid" : read.error().message.substr(folder.path().string().size() + 1);
  }

  temp_dir folder;
  std::string path;
};

} // namespace

TEST_CASE("policy file: every rule -> its values and its line") {
  const config c{R"(agent-id = "pi-1"
[policy]
kinds = ["File", "Network"]
paths = [
  "/srv",
  "/",
]
deny-paths = []
units = ["app-*.service"]
images = ["registry.example:5000/team"]
digest-only = true
ports = [8080, "9000-9100"]
mounts = ["/srv/data"]
users = ["app"]
groups = ["app"]
capabilities = ["CAP_NET_BIND_SERVICE"]
packages = ["app-*"]
shell-jobs = false
exec-probes = false
)"};
  const auto p = c.read();
  REQUIRE(p);
  using list = std::vector<std::string>;
  device_policy expected;
  expected.kinds = policy_list{3, list{"File", "Network"}};
  expected.paths = policy_list{4, list{"/srv", "/"}};
  expected.deny_paths = policy_list{8, {}};
  expected.units = policy_list{9, list{"app-*.service"}};
  expected.images = policy_list{10, list{"registry.example:5000/team"}};
  expected.digests = policy_switch{11, true};
  expected.ports = policy_list{12, list{"8080", "9000-9100"}};
  expected.mounts = policy_list{13, list{"/srv/data"}};
  expected.users = policy_list{14, list{"app"}};
  expected.groups = policy_list{15, list{"app"}};
  expected.capabilities = policy_list{16, list{"CAP_NET_BIND_SERVICE"}};
  expected.packages = policy_list{17, list{"app-*"}};
  expected.shell_jobs = policy_switch{18, false};
  expected.exec_probes = policy_switch{19, false};
  CHECK(*p == expected);
}

TEST_CASE("policy file: none -> nothing is restricted but ShellJob") {
  CHECK(config{"agent-id = \"a\"\n"}.read().value() == device_policy{});
}

TEST_CASE("policy file: a wrong rule -> line, what was expected, what it got") {
  const auto said = [](const std::string& line) { return config{"[policy]\n" + line}.fault(); };
  CHECK(said("path = []")
        == "agent.toml:2: policy.path: there is no such rule; see agent.toml as it was installed");
  CHECK(said("kinds = [\"Fiel\"]")
        == "agent.toml:2: policy.kinds: expected a kind such as \"File\", got 'Fiel'");
  CHECK_THAT(said("kinds = \"File\""), Contains("expected a list of texts, got 'File'"));
  CHECK_THAT(said("digest-only = \"yes\""), Contains("expected true or false, got 'yes'"));
  CHECK_THAT(said("shell-jobs = [1]"), Contains("expected true or false, got [ 1 ]"));
  for (const char* path : {"srv", "/srv/", "/srv/../etc", "//srv", "/a/./b", ""})
    CHECK_THAT(said("paths = [\"" + std::string{path} + "\"]"), Contains("an absolute path"));
  for (const char* port : {"0", "70000", "80-", "a", "80-90-100", ""})
    CHECK_THAT(said("ports = [\"" + std::string{port} + "\"]"), Contains("a port or a range"));
  CHECK_THAT(said("ports = [80.5]"), Contains("a port or a range"));
  CHECK_THAT(said("images = [\"nginx@sha256:1\"]"), Contains("a registry or repository"));
  CHECK_THAT(said("images = [\"docker.io/*\"]"), Contains("a registry or repository"));
  CHECK_THAT(said("capabilities = [\"all\"]"), Contains("a capability"));
  CHECK_THAT(said("users = [[]]"), Contains("the name of an account"));
}

TEST_CASE("policy file: that others may write -> refused") {
  const config c{"[policy]\n"};
  ::chmod(c.path.c_str(), 0646);
  CHECK_THAT(c.fault(), Contains("can be written by everybody, who could command this device"));
  ::chmod(c.path.c_str(), 0664); // of the own group
  CHECK(c.fault() == "valid");
  std::filesystem::remove(c.path);
  std::filesystem::create_directory(c.path);
  CHECK_THAT(c.fault(), Contains("is no regular file"));
}

TEST_CASE("policy file: that belongs to another -> refused, by root too", "[root]") {
  const config c{"[policy]\n"};
  REQUIRE(::chown(c.path.c_str(), 65534, 65534) == 0);
  CHECK_THAT(c.fault(), Contains("belongs to another user (uid 65534)")
                          && Contains("chown it to root, chmod go-w"));
  REQUIRE(::chown(c.path.c_str(), 0, 65534) == 0);
  ::chmod(c.path.c_str(), 0664);
  CHECK_THAT(c.fault(), Contains("can be written by another group (gid 65534)"));
}

} // namespace harmony::test
