// The policy's table: a rule, a resource, and what comes of it.

#include "policy_table.hpp"

namespace harmony::test {

using namespace policy_table;

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

TEST_CASE("policy: of a member of a PostgreSQL cluster -> folder, owner, ports") {
  hold({
    {none, member("/var/lib/postgresql/15/main"), ""},
    {kinds, member("/srv/pg"), "kinds:7"},
    {paths, member("/srv/pg"), ""},
    {paths, member("/var/lib/postgresql"), "paths:7"},
    {deny, member("/srv/keys/pg"), "deny-paths:7"},
    {deny, member("/srv"), "deny-paths:7"}, // holds /srv/keys
    {users, member("/d", "app"), ""},
    {users, member("/d"), "users:7"},
    {ports, member("/d", "app", 8080), ""},
    {ports, member("/d", "app", 5432), "ports:7"},
    {ports, member("/d", "app", 8080, 9000), ""},
    {ports, member("/d", "app", 8080, 8008), "ports:7"},
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

} // namespace harmony::test
