// What a job cannot do, on a real service manager.

#include <filesystem>
#include <thread>

#include "job_fixture.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

} // namespace

TEST_CASE("shell job sandbox: no user -> one made up for the run, without privileges") {
  job_fixture d;
  const auto state = d.must_converge(script_of(
    "dynamic", "id -un; id -u; grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status"));
  const auto& out = state.standard_output;
  CHECK(out.substr(0, out.find('\n')) == "harmony-job-dynamic");
  const auto uid = std::stoi(out.substr(out.find('\n') + 1));
  CHECK(uid >= 61184);
  CHECK(uid <= 65519);
  for (const auto* set : {"CapPrm", "CapEff", "CapBnd", "CapAmb"})
    CHECK_THAT(out, Contains(std::string{set} + ":\t0000000000000000"));
  CHECK_THAT(out, Contains("NoNewPrivs:\t1"));
}

TEST_CASE("shell job sandbox: a user is named -> it runs as that one") {
  job_fixture d;
  auto want = script_of("as", "id -un");
  want.spec.user = "daemon";
  CHECK(d.must_converge(want).standard_output == "daemon\n");
}

TEST_CASE("shell job sandbox: root writes outside writablePaths -> refused; inside -> done") {
  job_fixture d;
  fs::create_directories("/var/lib/h-job-site");
  auto want = script_of(
    "write", "for p in /etc /usr /var/lib /root /home /run /sys /proc/sys; do touch $p/h-job-x "
             "&& echo wrote $p; done; touch /var/lib/h-job-site/x && echo "
             "inside");
  want.spec.user = "root";
  want.spec.writable = {"/var/lib/h-job-site"};
  CHECK(d.must_converge(want).standard_output == "inside\n");
  CHECK(fs::exists("/var/lib/h-job-site/x"));
  fs::remove_all("/var/lib/h-job-site");
}

TEST_CASE("shell job sandbox: /tmp -> its own, not the device's") {
  job_fixture d;
  const job_site site;
  write_file(site / "seen", "");
  auto want = script_of("tmp", "touch /tmp/h-job-tmp; ls /tmp");
  CHECK(d.must_converge(want).standard_output == "h-job-tmp\n");
  CHECK_FALSE(fs::exists("/tmp/h-job-tmp"));
}

TEST_CASE("shell job sandbox: network false -> loopback only; true -> the device's") {
  job_fixture d;
  auto want =
    script_of("net", "readlink /proc/self/ns/net; tail -n +3 /proc/net/dev | cut -d: -f1");
  const auto device = shell("readlink /proc/1/ns/net");
  const auto alone = d.must_converge(want).standard_output;
  CHECK_THAT(alone, !Contains(device));
  CHECK_THAT(alone, Catch::Matchers::EndsWith("]\n    lo\n"));
  want.spec.network = true;
  want.revision = "sha256:2";
  CHECK_THAT(d.must_converge(want).standard_output, Contains(device));
}

TEST_CASE("shell job sandbox: ways out of it -> closed") {
  job_fixture d;
  fs::create_directories("/var/lib/harmony-agent");
  write_file("/var/lib/harmony-agent/secret", "secret");
  const std::vector<std::pair<std::string, std::string>> ways{
    {"bus", "systemctl --no-pager list-units"},
    {"manager", "systemctl start h-job-none.service"},
    {"state", "cat /var/lib/harmony-agent/secret"},
    {"mount", "mount -t tmpfs none /mnt"},
    {"namespace", "unshare -Ur true"},
    {"device", "dd if=/dev/zero of=/dev/mem count=1"},
    {"kernel", "echo 0 > /proc/sys/kernel/randomize_va_space"},
    {"suid", "cp /bin/true /tmp/t && chmod u+s /tmp/t"}};
  for (const auto& [name, command] : ways) {
    DYNAMIC_SECTION(name) {
      auto want = script_of("way-" + name, command);
      want.spec.user = "root";
      CHECK(d.must_fail(want).code == ec::job_failed);
    }
  }
  fs::remove_all("/var/lib/harmony-agent");
}

TEST_CASE("shell job sandbox: limits -> in the unit") {
  job_fixture d;
  auto want = script_of("limits", "sleep 98767");
  want.spec.memory = 64ULL << 20U;
  want.spec.tasks = 7;
  want.spec.cpu_percent = 50;
  want.spec.timeout = 77;
  want.spec.unless = {"/bin/false"};
  CHECK_FALSE(d.converge(want, milliseconds{600}).ok());
  const auto value = [&](const char* name) { return job_fixture::property(want, name); };
  REQUIRE(value("ActiveState") == "activating");
  CHECK(value("MemoryMax") == "67108864");
  CHECK(value("TasksMax") == "7");
  CHECK(value("CPUQuotaPerSecUSec") == "500ms");
  CHECK(value("TimeoutStartUSec") == "1min 17s");
  CHECK(value("Type") == "oneshot");
  for (const auto* on :
       {"DynamicUser", "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "PrivateNetwork",
        "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs",
        "ProtectControlGroups", "ProtectClock", "ProtectHostname", "RestrictSUIDSGID",
        "RestrictRealtime", "LockPersonality", "MemoryDenyWriteExecute"})
    CHECK(std::string{on} + value(on) == std::string{on} + "yes");
  CHECK(value("ProtectSystem") == "strict");
  CHECK(value("ProtectHome") == "yes");
  CHECK(value("CapabilityBoundingSet").empty());
  CHECK_THAT(value("SystemCallFilter"), Contains("openat"));
  CHECK_THAT(value("SystemCallFilter"), !Contains("mount"));
}

TEST_CASE("shell job sandbox: manager reads its files again during a run -> the run is as it was") {
  job_fixture d;
  const job_site site;
  auto want = script_of("reload", "while [ ! -e " + (site / "go").string()
                                    + R"( ]; do sleep 0.02; done; printf '[%s]' "$0" "$1")");
  want.spec.command.insert(want.spec.command.end(), {"$HOME", "%n"});
  want.spec.user = "root";
  want.spec.writable = {site.path()};
  CHECK_FALSE(d.converge(want, milliseconds{300}).ok());
  shell("systemctl daemon-reload");
  write_file(site / "go", "");
  CHECK(d.must_converge(want).standard_output == "[$HOME][%n]");
}

} // namespace harmony::test
