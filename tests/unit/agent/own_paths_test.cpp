#include "apps/agent/own_paths.hpp"

#include <algorithm>
#include <filesystem>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

TEST_CASE("own paths: -> state, configuration, keys, program and unit, by both their names") {
  const temp_dir at;
  fs::create_directory(at / "disk");
  fs::create_directory_symlink(at / "disk", at / "state");
  agent_options o;
  o.state_dir = (at / "state").string();
  o.config = (at / "agent.toml").string();
  o.store_credentials = (at / "creds").string();
  o.store_nkey = (at / "nkey").string();
  o.store_key = (at / "key.pem").string();
  o.secrets_dir = (at / "secrets").string();
  const auto own = own_of(o);
  for (const auto& path :
       {(at / "state").string(), (at / "disk").string(), o.config, o.store_credentials,
        o.store_nkey, o.store_key, o.secrets_dir, std::string{"/etc/harmony-agent"}})
    CHECK(has(own.hidden, path));
  CHECK(has(own.paths, fs::read_symlink("/proc/self/exe").string()));
  for (const auto* path :
       {"/etc/systemd/system/harmony-agent.service", "/run/systemd/system/harmony-agent.service.d",
        "/etc/systemd/system/harmony-.service.d", "/etc/systemd/system/service.d",
        "/etc/sudoers.d/harmony-agent"})
    CHECK(has(own.paths, path));
  CHECK(has(own.doors, o.podman));
}

TEST_CASE("guard: a path that leads elsewhere -> judged by where, whatever its name") {
  const temp_dir at;
  agent_options o;
  o.state_dir = (at / "state").string();
  fs::create_directories(at / "state/db");
  fs::create_directories(at / "srv");
  fs::create_directory_symlink(at / "state", at / "srv/link");
  fs::create_directory_symlink("../srv/link", at / "srv/chain");
  fs::create_symlink("../state/not-yet", at / "srv/dangling");
  fs::create_directory_symlink("/etc", at / "srv/out");
  o.policy.mounts = policy_list{4, {at.path().string()}};
  o.policy.deny_paths = policy_list{5, {(at / "srv/out").string()}};
  const auto guard = guard_of(o);
  const auto mounted = [&](const std::string& path) -> std::string {
    container_spec s;
    s.image = "app";
    s.mounts.push_back({mount_type::bind, (at / path).string(), "/x", true});
    const auto no = guard->why_not_now({{"Container", "c"}, s, {}, {}});
    return !no ? "allowed" : no->message.find("agent's own") != std::string::npos ? "own" : "no";
  };
  CHECK(mounted("srv") == "no"); // it holds what is denied
  CHECK(mounted("srv/data") == "allowed");
  CHECK(mounted("state") == "own");
  CHECK(mounted("srv/link") == "own");
  CHECK(mounted("srv/link/db") == "own");
  CHECK(mounted("srv/chain/db") == "own");
  CHECK(mounted("srv/dangling") == "own");
  CHECK(mounted("srv/out") == "no");
  const auto plain =
    guard->why_not_now({{"Container", "c"},
                        [&] {
                          container_spec s;
                          s.image = "app";
                          s.mounts.push_back({mount_type::bind, "/usr", "/x", true});
                          return s;
                        }(),
                        {},
                        {}});
  REQUIRE(plain);
  CHECK(plain->message.find("agent.toml:4 policy.mounts does not allow a mount of '/usr'")
        != std::string::npos);
}

} // namespace harmony::test
