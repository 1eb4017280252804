// The policy's table: a rule, a resource, and what comes of it.

#include "core/policy.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using list = std::vector<std::string>;

const agent_own own{{"/etc/harmony-agent", "/var/lib/harmony-agent"},
                    {"/usr/bin/harmony-agent", "/etc/systemd/system/harmony-agent.service",
                     "/etc/systemd/system/harmony-agent.service.d"},
                    {"/run/podman/podman.sock", "/run/dbus/system_bus_socket"},
                    "harmony-agent.service",
                    "root"};

resource of(resource_spec spec) {
  resource r;
  r.id = {std::string{kind_of(spec)}, "x"};
  r.spec = std::move(spec);
  return r;
}

resource file(std::string path, std::string owner = {}, std::string mode = "0644",
              std::string group = {}) {
  file_spec s;
  s.path = std::move(path);
  s.owner = std::move(owner);
  s.mode = std::move(mode);
  s.group = std::move(group);
  return of(s);
}

resource folder(std::string path, std::string owner = {}, std::string mode = "0755") {
  directory_spec s;
  s.path = std::move(path);
  s.owner = std::move(owner);
  s.mode = std::move(mode);
  return of(s);
}

resource unit(std::string name, std::optional<std::string> content = {}) {
  systemd_unit_spec s;
  s.unit = std::move(name);
  s.content = std::move(content);
  return of(s);
}

resource service(const std::string& lines) {
  return unit("app.service", "[Service]\n" + lines);
}

resource image(std::string name) {
  container_spec s;
  s.image = std::move(name);
  return of(s);
}

resource bind(std::string source, bool read_only = false) {
  container_spec s;
  s.image = "app";
  s.mounts.push_back({mount_type::bind, std::move(source), "/x", read_only});
  return of(s);
}

resource publishing(std::uint16_t port) {
  container_spec s;
  s.image = "app";
  s.ports.push_back({port, 80, transport_protocol::tcp, {}});
  return of(s);
}

resource on_network(std::string name) {
  container_spec s;
  s.image = "app";
  s.network = std::move(name);
  return of(s);
}

resource job(list writable = {}, std::string user = {}) {
  shell_job_spec s;
  s.command = {"/bin/true"};
  s.writable = std::move(writable);
  s.user = std::move(user);
  return of(s);
}

resource package(std::string name) {
  package_spec s;
  s.package = std::move(name);
  return of(s);
}

resource account(std::string name, list groups = {}, std::optional<std::uint32_t> uid = {},
                 std::optional<std::string> home = {}) {
  user_spec s;
  s.user = std::move(name);
  s.groups = std::move(groups);
  s.uid = uid;
  s.home = std::move(home);
  return of(s);
}

resource probed(resource r) {
  r.probes.readiness = probe{exec_probe{{"/bin/sh"}}};
  return r;
}

/// A policy whose only rule is `member`, at line 7.
device_policy only(std::optional<policy_list> device_policy::*member, list values) {
  device_policy p;
  p.*member = policy_list{7, std::move(values)};
  return p;
}
device_policy only(std::optional<policy_switch> device_policy::*member, bool on) {
  device_policy p;
  p.*member = policy_switch{7, on};
  return p;
}

using dp = device_policy;
const device_policy none;
const auto kinds = only(&dp::kinds, {"File"});
const auto paths = only(&dp::paths, {"/srv", "/etc/app"});
const auto deny = only(&dp::deny_paths, {"/etc/ssl", "/srv/keys"});
const auto units = only(&dp::units, {"app-*.service", "cron.service"});
const auto images = only(&dp::images, {"registry.example", "docker.io/library/nginx"});
const auto digests = only(&dp::digests, true);
const auto ports = only(&dp::ports, {"8080", "9000-9100"});
const auto mounts = only(&dp::mounts, {"/srv", "/run/podman/podman.sock"});
const auto whole = only(&dp::mounts, {"/"});
const auto users = only(&dp::users, {"app", "www-data"});
const auto groups = only(&dp::groups, {"app"});
const auto capabilities = only(&dp::capabilities, {"CAP_NET_BIND_SERVICE"});
const auto packages = only(&dp::packages, {"app-*", "curl"});
const auto jobs = only(&dp::shell_jobs, true);
const auto no_jobs = only(&dp::shell_jobs, false);
const auto no_probes = only(&dp::exec_probes, false);

const std::string digest = "@sha256:" + std::string(64, 'a');

struct row {
  const device_policy& policy;
  resource what;
  std::string expected; ///< "rule:line", "own", or empty: allowed
};

std::string verdict_of(const row& r) {
  const auto no = check(r.policy, own, r.what);
  if (!no)
    return {};
  return no->rule.empty() ? "own" : no->rule + ":" + std::to_string(no->line);
}

void hold(const std::vector<row>& rows) {
  for (const auto& each : rows) {
    const auto no = check(each.policy, own, each.what);
    INFO(each.what.id.str() << ": " << (no ? explain(each.policy, *no).message : "allowed"));
    INFO(canonical(each.what.spec));
    CHECK(verdict_of(each) == each.expected);
  }
}

} // namespace

TEST_CASE("policy: none -> what was allowed without one, ShellJob not") {
  hold({
    {none, file("/etc/shadow"), ""},
    {none, folder("/etc", "app"), "own"},
    {none, folder("/srv", "app", "0777"), ""},
    {none, unit("ssh.service"), ""},
    {none, service("ExecStart=/bin/true"), ""},
    {none, image("nginx"), ""},
    {none, publishing(22), ""},
    {none, on_network("host"), ""},
    {none, bind("/srv"), ""},
    {none, package("curl"), ""},
    {none, account("root", {"sudo"}), ""},
    {none, probed(file("/srv/x")), ""},
    {none, of(network_spec{}), ""},
    {none, job(), "shell-jobs:0"},
  });
}

TEST_CASE("policy: kinds, shell jobs, probes, packages -> only what they list") {
  hold({
    {kinds, file("/x"), ""},
    {kinds, folder("/x"), "kinds:7"},
    {kinds, of(network_spec{}), "kinds:7"},
    {kinds, job(), "kinds:7"},
    {jobs, job(), ""},
    {no_jobs, job(), "shell-jobs:7"},
    {no_probes, probed(file("/srv/x")), "exec-probes:7"},
    {no_probes, probed(image("app")), ""}, // it runs in the container
    {no_probes, file("/srv/x"), ""},
    {packages, package("curl"), ""},
    {packages, package("app-server"), ""},
    {packages, package("curly"), "packages:7"},
    {packages, package("my-app-x"), "packages:7"},
  });
}

TEST_CASE("policy: paths -> the prefixes, by whole names") {
  auto both = paths;
  both.deny_paths = policy_list{9, {"/srv/keys"}};
  auto working = jobs;
  working.paths = policy_list{8, {"/srv"}};
  hold({
    {paths, file("/srv/a/b"), ""},
    {paths, file("/etc/app/x"), ""},
    {paths, folder("/srv"), ""},
    {paths, file("/etc/shadow"), "paths:7"},
    {paths, file("/srv2/a"), "paths:7"},
    {paths, file("/srvx"), "paths:7"},
    {paths, folder("/etc"), "paths:7"},
    {paths, account("app", {}, {}, "/home/app"), "paths:7"},
    {paths, account("app"), ""},
    {paths, bind("/home"), ""}, // of mounts
    {deny, file("/etc/ssl/key"), "deny-paths:7"},
    {deny, file("/etc/sslx"), ""},
    {deny, folder("/etc/ssl"), "deny-paths:7"},
    {deny, bind("/etc/ssl", true), "deny-paths:7"},
    {deny, bind("/srv", true), "deny-paths:7"},
    {deny, bind("/home"), ""},
    {both, file("/srv/keys/x"), "deny-paths:9"},
    {both, file("/srv/other"), ""},
    {working, job({"/srv/x"}), ""},
    {working, job({"/srv/x", "/etc"}), "own"},
    {working, job({"/var"}), "paths:8"},
  });
}

TEST_CASE("policy: units and users -> by name, and by all that a unit file can say") {
  const std::string run = "ExecStart=/bin/true\n";
  hold({
    {units, unit("app-1.service"), ""},
    {units, unit("app-1.socket"), "units:7"},
    {units, unit("cron.service"), ""},
    {units, unit("xapp-1.service"), "units:7"},
    {users, service("User=app\n" + run), ""},
    {users, service("DynamicUser=yes\n" + run), ""},
    {users, service(run), "users:7"},
    {users, service("User=root\n" + run), "users:7"},
    {users, service("User=0\n" + run), "users:7"},
    {users, service("User=00\n" + run), "users:7"},
    {users, service("User=%i\n" + run), "users:7"},
    {users, service("User=app\nUser=\n" + run), "users:7"},
    {users, service("User=app\nUser=www-data\n" + run), ""},
    {users, service("User=app\nUser=mail\n" + run), "users:7"},
    {users, service("DynamicUser=yes\nUser=root\n" + run), "users:7"},
    {users, service("DynamicUser=maybe\n" + run), "users:7"},
    {users, service("A=x\\\nUser=app\n" + run), "users:7"}, // goes on
    {users, service("User=app\n[Unit]\nUser=app\n"), ""},
    {users, unit("app.service", "[Unit]\nUser=app\n[Service]\n" + run), "users:7"},
    {users, service("User=app\nExecStart=+/bin/sh\n"), "users:7"},
    {users, service("User=app\nExecStart=-+/bin/sh\n"), "users:7"},
    {users, service("User=app\nExecStart=!!/bin/sh\n"), "users:7"},
    {users, service("User=app\nExecStart=\"+/bin/sh\"\n"), "users:7"},
    {users, service("User=app\nExecStart=\\x2b/bin/sh\n"), "users:7"},
    {users, service("User=app\nExecStartPre=/bin/a ; +/bin/b\n"), "users:7"},
    {users, service("User=app\nExecStart=-@/bin/sh sh\n"), ""},
    {users, service("User=app\nPermissionsStartOnly=true\n" + run), "users:7"},
    {users, service("User=app\nPermissionsStartOnly=no\n" + run), ""},
    {users, unit("app.mount", "[Mount]\nWhat=/a\nWhere=/b\n"), "users:7"},
    {users, unit("app.timer", "[Timer]\nOnBootSec=1\n"), ""},
    {users, unit("app.socket", "[Socket]\nListenStream=1\n"), ""},
    {users, unit("app.socket", "[Socket]\nExecStartPre=/bin/sh\n"), "users:7"},
    {users, unit("app.service"), ""}, // its file is the device's own
    {groups, service("User=x\nSupplementaryGroups=app docker\n" + run), "groups:7"},
    {groups, service("User=x\nGroup=app\n" + run), ""},
  });
}

TEST_CASE("policy: capabilities -> of units, what they ask for and what root has") {
  const std::string run = "ExecStart=/bin/true\n";
  hold({
    {capabilities, service("User=app\n" + run), ""},
    {capabilities, service("User=app\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" + run), ""},
    {capabilities, service("User=app\nAmbientCapabilities=cap_sys_admin\n" + run),
     "capabilities:7"},
    {capabilities, service("User=app\nAmbientCapabilities=~CAP_CHOWN\n" + run), "capabilities:7"},
    {capabilities, service(run), "capabilities:7"},
    {capabilities, service("CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n" + run), ""},
    {capabilities, service("CapabilityBoundingSet=\n" + run), ""},
    {capabilities, service("CapabilityBoundingSet=CAP_SYS_ADMIN\n" + run), "capabilities:7"},
    {capabilities, service("User=app\nExecStart=+/bin/sh\n"), "capabilities:7"},
    {capabilities, image("app"), ""}, // podman's default; none more can be asked for
  });
}

TEST_CASE("policy: users and groups -> of files and accounts") {
  hold({
    {users, file("/x"), ""},
    {users, file("/x", "root"), ""}, // as the agent's own files are
    {users, file("/x", "app"), ""},
    {users, file("/x", "mail"), "users:7"},
    {users, file("/x", "0"), "users:7"},
    {users, file("/x", "", "4755"), "users:7"},
    {users, file("/x", "root", "6755"), "users:7"},
    {users, file("/x", "app", "4755"), ""},
    {users, folder("/x", "mail"), "users:7"},
    {users, folder("/x", "", "2755"), ""},
    {groups, file("/x", "", "0644", "app"), ""},
    {groups, file("/x", "", "0644", "shadow"), "groups:7"},
    {groups, file("/x", "", "2755"), "groups:7"},
    {users, account("app"), ""},
    {users, account("mail"), "users:7"},
    {users, account("app", {}, 0), "users:7"},
    {groups, account("app", {"app", "sudo"}), "groups:7"},
    {groups, account("app", {"app"}), ""},
  });
  auto working = jobs;
  working.users = policy_list{8, {"app"}};
  hold({{working, job({}, "app"), ""},
        {working, job({}, "root"), "users:8"},
        {working, job(), ""}}); // a user made up for it
}

TEST_CASE("policy: images, digests, ports, networks of containers") {
  hold({
    {images, image("registry.example/a/b:1"), ""},
    {images, image("registry.example:5000/a"), "images:7"},
    {images, image("registry.example.evil/a"), "images:7"},
    {images, image("docker.io/library/nginx:1.2" + digest), ""},
    {images, image("docker.io/library/nginx-evil"), "images:7"},
    {images, image("nginx"), "images:7"}, // of which registry is podman's to say
    {digests, image("nginx:1.2"), "digest-only:7"},
    {digests, image("nginx" + digest), ""},
    {only(&dp::digests, false), image("nginx"), ""},
    {ports, publishing(8080), ""},
    {ports, publishing(9000), ""},
    {ports, publishing(9100), ""},
    {ports, publishing(9101), "ports:7"},
    {ports, publishing(80), "ports:7"},
    {ports, on_network("host"), "ports:7"},
    {ports, on_network("bridge"), ""},
  });
}

TEST_CASE("policy: mounts -> the prefixes; what commands the device only by its own name") {
  hold({
    {mounts, bind("/srv/data"), ""},
    {mounts, bind("/home"), "mounts:7"},
    {mounts, bind("/run/podman/podman.sock"), ""},
    {mounts, bind("/run/podman"), "mounts:7"},
    {mounts, bind("/run/dbus/system_bus_socket", true), "mounts:7"},
    {none, bind("/"), "own"},
    {none, bind("/", true), "mounts:0"},
    {none, bind("/run", true), "mounts:0"},
    {none, bind("/run/podman/podman.sock"), "mounts:0"},
    {none, bind("/run/user"), ""},
    {whole, bind("/", true), ""},
    {whole, bind("/"), "own"},
    {whole, bind("/run/podman/podman.sock"), "mounts:7"},
    {whole, bind("/home"), ""},
  });
}

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
