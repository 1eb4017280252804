// The installed unit: its sandbox leaves every resource kind what it needs.

#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "integration/packages/package_bed.hpp"
#include "integration/service/service_bed.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const std::string image = "localhost/harmony-test:1";

std::string resource(const std::string& kind, const std::string& name, const std::string& spec,
                     const std::string& more = {}) {
  return R"({"kind":")" + kind + R"(","name":")" + name + '"' + more + R"(,"spec":{)" + spec + "}}";
}

std::string idle_container() {
  return resource("Container", "c",
                  R"("image":")" + image
                    + R"(","pullPolicy":"Never","network":"none","command":["/bin/idle"])");
}

/// One of each kind but Package; files where a sandbox would hide them, of another owner, setuid.
std::string one_of_each() {
  return resource("User", "app", R"("user":"hu-app","shell":"/bin/sh","system":true)") + ","
         + resource("File", "f",
                    R"("path":"/opt/h-dir/f","content":"x","owner":"hu-app","mode":"4755")",
                    R"(,"dependsOn":["Directory/d"])")
         + ","
         + resource("Directory", "d", R"("path":"/opt/h-dir","owner":"hu-app")",
                    R"(,"dependsOn":["User/app"])")
         + "," + resource("File", "tmp", R"("path":"/tmp/h-f","content":"x")") + ","
         + resource("File", "home", R"("path":"/root/h-f","content":"x")") + ","
         + resource("File", "usr", R"("path":"/usr/local/h-f","content":"x")") + ","
         + resource(
           "SystemdUnit", "u",
           R"("unit":"h-u.service","content":"[Service]\nExecStart=/bin/sleep infinity\n")",
           R"(,"probes":{"readiness":{"exec":{"command":["/bin/sh","-c","test -e /tmp/h-f"]}}})")
         + "," + idle_container() + ","
         + resource("ShellJob", "j", R"("command":["/bin/sh","-c","echo ran"])") + ","
         + resource("Network", "lo", R"("link":"lo","addresses":["10.88.0.1/32"])");
}

void prepare_device() {
  require_device();
  must("systemctl start podman.socket && podman version"); // its storage is set up
  shell("userdel hu-app");
  build_test_image(image);
}

void check_applied(agent_process& remote) {
  CHECK(remote.converged());
  for (const auto& [id, status] : remote.status().resources) {
    INFO(id.str() << ": " << status.message);
    CHECK(status.phase == resource_phase::ready);
  }
  CHECK(must("stat -c '%U %a' /opt/h-dir/f") == "hu-app 4755");
  CHECK(must("systemctl is-active h-u.service") == "active");
  CHECK(succeeds("podman container exists harmony-c"));
  CHECK_THAT(must("ip address show lo"), Catch::Matchers::Contains("10.88.0.1/32"));
}

void check_collected(agent_process& remote) {
  remote.apply("");
  CHECK(remote.converged());
  CHECK_FALSE(fs::exists("/opt/h-dir"));
  CHECK_FALSE(fs::exists("/usr/local/h-f"));
  CHECK_FALSE(succeeds("systemctl is-active h-u.service"));
  CHECK_FALSE(succeeds("podman container exists harmony-c"));
  CHECK_FALSE(succeeds("getent passwd hu-app"));
}

} // namespace

TEST_CASE("service: the installed unit -> one resource of each kind converges and is collected") {
  prepare_device();
  reset_repository();
  // As maintainer scripts do: another user, owners, modes, capabilities.
  publish({"ht-service",
           "1.0",
           {},
           "install -o nobody -m 4755 /bin/true /usr/local/ht-tool; su -s /bin/sh nobody -c true; "
           "setcap cap_net_raw+ep /usr/local/ht-tool"});
  installed_agent agent{"[policy]\nshell-jobs = true\n"};
  agent.start();
  agent.remote().apply(one_of_each() + "," + resource("Package", "p", R"("package":"ht-service")"));
  check_applied(agent.remote());
  CHECK_THAT(must("getcap /usr/local/ht-tool"), Catch::Matchers::Contains("cap_net_raw"));

  check_collected(agent.remote());
  CHECK_FALSE(fs::exists("/usr/share/ht-service"));

  CHECK(installed_agent::property("NoNewPrivileges") == "yes");
  CHECK(installed_agent::property("MemoryMax") == std::to_string(64 << 20));
  CHECK(installed_agent::property("WatchdogUSec") == "30s");
  CHECK(installed_agent::property("Restart") == "always");
  CHECK(installed_agent::exposure() <= 50);
}

TEST_CASE("service: with no-packages.conf -> every other kind converges and is collected") {
  prepare_device();
  installed_agent agent{"[policy]\nshell-jobs = true\n"};
  agent.drop_in("no-packages.conf",
                read_file("/usr/share/doc/harmony-agent/examples/no-packages.conf"));
  agent.start();
  agent.remote().apply(one_of_each());
  check_applied(agent.remote());
  check_collected(agent.remote());
  CHECK(installed_agent::exposure() <= 40);
}

TEST_CASE("service: killed -> it is back, and what it manages ran on") {
  prepare_device();
  installed_agent agent;
  agent.start();
  agent.remote().apply(
    resource("SystemdUnit", "u",
             R"("unit":"h-u.service","content":"[Service]\nExecStart=/bin/sleep infinity\n")"));
  REQUIRE(agent.remote().converged());
  const auto unit = must("systemctl show --value -p MainPID h-u.service");
  const auto before = installed_agent::property("MainPID");
  must("systemctl kill --signal=SEGV harmony-agent");
  CHECK(eventually([&] {
    return installed_agent::property("ActiveState") == "active"
           && installed_agent::property("MainPID") != before;
  }));
  CHECK(agent.remote().await_beats(2));
  CHECK(must("systemctl show --value -p MainPID h-u.service") == unit);
  agent.remote().apply("");
  CHECK(agent.remote().converged());
}

TEST_CASE("service: check -> 0 where all is well, 1 and a remedy for each thing that is away") {
  prepare_device();
  installed_agent agent;
  agent.start();
  agent.remote().apply(resource("File", "f", R"("path":"/srv/h-f","content":"x")"));
  REQUIRE(agent.remote().converged());
  int status = -1;
  auto said = shell("harmony-agent check", &status);
  INFO(said);
  CHECK(status == 0); // no time server here: a warning
  CHECK_THAT(said, Catch::Matchers::Contains("OK   podman         answers"));
  CHECK_THAT(said, Catch::Matchers::Contains("OK   systemd        answers"));
  CHECK_THAT(said, Catch::Matchers::Contains("OK   permissions"));
  CHECK_THAT(must("harmonyctl -s dir:/srv/h-store check pi-1"),
             Catch::Matchers::Contains("OK   generation"));

  must("systemctl stop podman.socket podman.service harmony-agent");
  must("mount -t tmpfs -o size=1M,mode=0755 tmpfs /var/lib/harmony-agent");
  write_file("/etc/harmony-agent/agent.toml", "agent-id = \"pi-1\"\nstore = \"dir:/srv/no\"\n"
                                              "log-level = \"loud\"\n");
  said = shell("harmony-agent check -o json", &status);
  must("umount /var/lib/harmony-agent && systemctl start podman.socket");
  CHECK(status == 1);
  std::map<std::string, std::string> results;
  const auto value = nlohmann::json::parse(said);
  for (const auto& each : value["checks"])
    results[each["check"]] = each["result"];
  CHECK(results["configuration"] == "FAIL");
  CHECK(results["agent"] == "FAIL");
  CHECK(results["store"] == "FAIL");
  CHECK(results["state folder"] == "WARN");
  CHECK(results["disk"] == "FAIL");
  CHECK(results["podman"] == "FAIL");
  CHECK(results["systemd"] == "OK");
}

TEST_CASE("service: log-format journal -> entries with fields, found by their resource") {
  require_device();
  installed_agent agent{"log-format = \"journal\"\n"};
  agent.start();
  agent.remote().apply(resource("File", "logged", R"("path":"/srv/h-log","content":"x")"));
  REQUIRE(agent.remote().converged());
  std::string found;
  REQUIRE(eventually([&] {
    shell("journalctl --sync");
    found = shell("journalctl -u harmony-agent -o json HARMONY_RESOURCE=File/logged | head -n 1");
    return !found.empty() && found.front() == '{';
  }));
  const auto entry = nlohmann::json::parse(found);
  CHECK(entry["HARMONY_AGENT"] == "pi-1");
  CHECK(entry["PRIORITY"] == "6");
  CHECK(entry["SYSLOG_IDENTIFIER"] == "harmony-agent");
  CHECK_THAT(entry["MESSAGE"].get<std::string>(), Catch::Matchers::Contains("'File/logged' is"));
  agent.remote().apply("");
  CHECK(agent.remote().converged());
}

TEST_CASE("service: metrics on a unix socket -> what this agent did") {
  require_device();
  installed_agent agent{"metrics = \"unix:/run/h-metrics\"\n"};
  agent.start();
  agent.remote().apply(resource("File", "m", R"("path":"/srv/h-metric","content":"x")"));
  REQUIRE(agent.remote().converged());
  const auto text = must("curl -sf --unix-socket /run/h-metrics http://agent/metrics");
  for (const auto* line :
       {"harmony_generation 1\n", "harmony_agent_phase{phase=\"Converged\"} 1\n",
        "harmony_resources{phase=\"Ready\"} 1\n", "harmony_store_connected 1\n",
        R"(harmony_operations_total{lane="files",operation="apply",result="done"} 1)"})
    CHECK_THAT(text, Catch::Matchers::Contains(line));
  CHECK(text.find("harmony_status_writes_total{result=\"done\"} 0\n") == std::string::npos);
  agent.remote().apply("");
  CHECK(agent.remote().converged());
}

TEST_CASE("service: support bundle -> what is needed, and none of the secrets") {
  prepare_device();
  installed_agent agent{"[policy]\nshell-jobs = true\n"};
  agent.start();
  agent.remote().apply(
    resource("File", "f", R"("path":"/srv/h-bundle","content":"canary-content")") + ","
    + resource("Container", "c",
               R"("image":")" + image
                 + R"(","pullPolicy":"Never","network":"none","env":{"TOKEN":"canary-env"},)"
                   R"("command":["/bin/busybox","sleep","10001","canary-argument"])")
    + ","
    + resource("ShellJob", "j",
               R"("command":["/bin/sh","-c","echo canary-output; : canary-script"])"));
  CHECK(agent.remote().await_standing("File/f", "Ready") == "Ready");
  CHECK(agent.remote().await_standing("ShellJob/j", "Ready") == "Ready");
  write_file("/etc/harmony-agent/agent.toml",
             "agent-id = \"pi-1\"\n"
             "store = \"nats://someone:canary-password@127.0.0.1:1\"\n"
             "[policy]\nshell-jobs = true\n");
  must("systemctl restart harmony-agent");

  const temp_dir at;
  const auto file = (at / "b.tar.gz").string();
  must("harmony-agent support-bundle --output " + file);
  CHECK(must("stat -c %a " + file) == "600");
  must("mkdir " + (at / "b").string() + " && tar -C " + (at / "b").string() + " -xzf " + file);
  const auto b = at / "b";
  CHECK(shell("grep -r canary " + b.string()).empty());
  CHECK_THAT(read_file(b / "state/manifest-1.json"), Catch::Matchers::Contains("(redacted)"));
  CHECK_THAT(read_file(b / "state/inventory.json"), Catch::Matchers::Contains("/srv/h-bundle"));
  CHECK_THAT(read_file(b / "state/schema.sql"), Catch::Matchers::Contains("CREATE TABLE"));
  CHECK_THAT(read_file(b / "config.txt"), Catch::Matchers::Contains("nats://127.0.0.1:1"));
  CHECK_THAT(read_file(b / "agent.journal"), Catch::Matchers::Contains("agent 'pi-1' starts"));
  CHECK_THAT(read_file(b / "audit.log"), Catch::Matchers::Contains("job-started"));
  CHECK_THAT(read_file(b / "status.json"), Catch::Matchers::Contains("ShellJob/j"));
  CHECK_THAT(read_file(b / "facts.json"), Catch::Matchers::Contains("memoryBytes"));
  CHECK_THAT(read_file(b / "check.txt"), Catch::Matchers::Contains("FAIL store"));
  CHECK_THAT(read_file(b / "systemctl-status.txt"), Catch::Matchers::Contains("Main PID"));
  CHECK_THAT(read_file(b / "podman-ps.txt"), Catch::Matchers::Contains("harmony-c"));
  CHECK(shell("ls -d /tmp/harmony-bundle.* 2>/dev/null").empty());
  must("podman rm -f harmony-c; rm -f /srv/h-bundle");
}

TEST_CASE("service: the user's unit -> that user's files, units and containers converge") {
  prepare_device();
  install_agent();
  must("useradd --create-home hu-own && systemctl start user@$(id -u hu-own).service");
  const auto id = must("id -u hu-own");
  const auto as = "setpriv --reuid hu-own --regid hu-own --init-groups env HOME=/home/hu-own "
                  "XDG_RUNTIME_DIR=/run/user/"
                  + id + " ";
  // The kernel gives a container of a user its own of these only where they are to be seen whole,
  // and a disposable device hides the kernel's settings.
  must("mkdir /run/whole-proc /run/whole-sys && mount -t proc proc /run/whole-proc && "
       "mount -t sysfs sysfs /run/whole-sys");
  must("cd / && podman save " + image + " | " + as + "podman load");
  {
    must("install -d -o hu-own /srv/h-own");
    const std::string url = "dir:/srv/h-own/store";
    agent_process remote{"/usr/bin/harmony-agent", {}, url};
    must("chown -R hu-own /srv/h-own");
    write_file("/home/hu-own/.config/harmony-agent/agent.toml",
               "agent-id = \"pi-1\"\nstore = \"" + url + "\"\n");
    must("chown -R hu-own /home/hu-own/.config");
    must(as + "systemctl --user daemon-reload");
    int status = 0;
    const auto said = shell(as + "systemctl --user start podman.socket harmony-agent", &status);
    INFO(said << "\n" << shell("journalctl --no-pager -n 40 _UID=" + id));
    REQUIRE(status == 0);
    remote.apply(
      resource("File", "f", R"("path":"/home/hu-own/f","content":"x")") + ","
      + resource("SystemdUnit", "u",
                 R"("unit":"h-own.service","content":"[Service]\nExecStart=/bin/sleep infinity\n")")
      + "," + idle_container());
    must("chown -R hu-own /srv/h-own/store");
    CHECK(remote.converged());
    CHECK(must("stat -c %U /home/hu-own/f") == "hu-own");
    CHECK(must(as + "systemctl --user is-active h-own.service") == "active");
    CHECK(succeeds("cd / && " + as + "podman container exists harmony-c"));
    CHECK_FALSE(succeeds("podman container exists harmony-c")); // not of root's
    CHECK(must(as + "systemctl --user show --value -p NoNewPrivileges harmony-agent") == "yes");
  }
  must("cd / && " + as + "podman rm -f harmony-c");
  must("systemctl stop user@" + id + ".service && userdel --remove hu-own && rm -rf /srv/h-own");
  must("umount /run/whole-proc /run/whole-sys && rmdir /run/whole-proc /run/whole-sys");
}

} // namespace harmony::test
