// What no policy allows, the names that a path has, and what a policy leaves open.

#include "policy_table.hpp"

namespace harmony::test {

using namespace policy_table;

TEST_CASE("policy: what is the agent's own -> refused, whatever the policy says") {
  auto open = jobs;
  open.paths = open.mounts = policy_list{1, {"/"}};
  open.units = policy_list{2, {"*"}};
  hold({
    {open, file("/etc/harmony-agent/agent.toml"), "own"},
    {open, file("/etc/harmony-agent/x"), "own"},
    {open, file("/var/lib/harmony-agent/state.db"), "own"},
    {open, file("/usr/bin/harmony-agent"), "own"},
    {open, file("/usr/bin/harmony-agentx"), ""},
    {open, file("/etc/systemd/system/harmony-agent.service.d/x.conf"), "own"},
    {open, file("/etc/systemd/system/app.service"), ""},
    {open, folder("/etc/harmony-agent"), "own"},
    {open, folder("/etc"), ""},
    {open, folder("/etc", "app"), "own"},
    {open, folder("/etc", "", "0777"), "own"},
    {open, bind("/etc/harmony-agent", true), "own"},
    {open, bind("/etc", true), ""},
    {open, bind("/etc"), "own"},
    {open, bind("/var/lib/harmony-agent/state.db", true), "own"},
    {open, job({"/var/lib"}), ""}, // its sandbox hides the state
    {open, job({"/var/lib/harmony-agent"}), "own"},
    {open, job({"/usr"}), "own"},
    {open, job({"/"}), "own"},
    {open, account("app", {}, {}, "/etc/harmony-agent"), "own"},
    {open, member("/var/lib/harmony-agent/pg"), "own"},
    {open, member("/var/lib"), "own"},
    {open, member("/etc/harmony-agent/pgguard"), "own"},
    {open, unit("harmony-agent.service"), "own"},
    {open, unit("a.service", "[Install]\nAlias=b.service harmony-agent.service\n"), "own"},
    {open, unit("agent.service", "[Install]\nAlias=harmony-%p.service\n"), "own"},
    {open, unit("a.service", "[Install]\nAlias=harmony\\x2dagent.service\n"), "own"},
    {open, unit("a.service", "[Install]\nAlias=a@%i.service\n"), ""},
    {open, unit("a.service", "[Unit]\nConflicts=\"harmony-agent.service\"\n"), "own"},
    {open, unit("a.service", "[Unit]\nAfter=harmony-agent.service\n"), ""},
  });
}

TEST_CASE("policy: names that a path has on the device -> the first is allowed, none denied") {
  const auto at = [&](const device_policy& p, path_use use, const list& names) {
    const auto no = check_path(p, own, use, names);
    return no ? explain(p, *no).message : "allowed";
  };
  CHECK(at(paths, path_use::file, {"/srv/x", "/other/x"}) == "allowed");
  CHECK(at(paths, path_use::file, {"/other/x", "/srv/x"})
        == "agent.toml:7 policy.paths does not allow '/other/x'");
  CHECK(at(paths, path_use::file, {"/srv/x", "/etc/harmony-agent/x"})
        == "'/srv/x', which is '/etc/harmony-agent/x': that is the agent's own, and no "
           "manifest's");
  CHECK(at(deny, path_use::mounted, {"/home/x", "/etc/ssl"})
        == "agent.toml:7 policy.deny-paths does not allow a mount of '/home/x', which is "
           "'/etc/ssl'");
  CHECK(at(none, path_use::mounted_rw, {"/etc"})
        == "a mount of '/etc', which holds '/etc/harmony-agent': that is the agent's own, and no "
           "manifest's");
  CHECK(at(none, path_use::mounted, {"/x", "/run/podman"})
        == "policy.mounts, which agent.toml does not set, does not allow a mount of '/x', which is "
           "'/run/podman/podman.sock', which commands the device");
}

TEST_CASE("policy: gaps -> named where a rule leaves others to be got around") {
  CHECK(gaps(none).empty());
  CHECK(gaps(jobs).empty());
  CHECK_THAT(gaps(units), Catch::Contains("paths: a File") && Catch::Contains("exec-probes"));
  auto tight = only(&dp::kinds, {"File"});
  tight.paths = policy_list{2, {"/srv"}};
  tight.exec_probes = policy_switch{3, false};
  CHECK(gaps(tight).empty());
}

TEST_CASE("policy: patterns -> '*' is any text") {
  CHECK(matches("a*c", "abbc"));
  CHECK(matches("*", ""));
  CHECK(matches("a*b*c", "a-b-b-c"));
  CHECK_FALSE(matches("a*c", "acd"));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches("a", ""));
}

} // namespace harmony::test
