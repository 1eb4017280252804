// The device's policy, through a whole agent: what a manifest asks for and the owner does not
// allow.

#include <filesystem>

#include "integration/agent/device_bed.hpp"
#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string image = "localhost/harmony-test:1";
const std::string refused = "Rejected NotAllowed";

std::string of_kind(const std::string& kind, const std::string& name, const std::string& spec) {
  return R"({"kind":")" + kind + R"(","name":")" + name + R"(","spec":{)" + spec + "}}";
}

std::string bind_json(const std::string& name, const std::string& source,
                      const std::string& more = {}) {
  return of_kind(
    "Container", name,
    R"("image":")" + image
      + R"(","pullPolicy":"Never","network":"none","mounts":[{"type":"bind","source":")" + source
      + R"(","target":"/x")" + more + "}]");
}

/// A folder with an agent's state and configuration in it.
struct site {
  explicit site(const std::string& policy) {
    fs::create_directories(root / "data");
    set(policy);
  }
  ~site() {
    fs::remove_all(root);
    fs::remove_all("/srv/h-elsewhere");
  }
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  /// `policy` begins at line 2.
  void set(const std::string& policy) const {
    write_file(root / "agent.toml", "[policy]\n" + policy);
  }
  [[nodiscard]] std::vector<std::string> flags() const {
    return {"--state-dir", (root / "state").string(), "--config", (root / "agent.toml").string()};
  }
  [[nodiscard]] std::string data(const std::string& name) const {
    return (root / "data" / name).string();
  }

  fs::path root = "/srv/h-policy";
};

/// Waits until the resource stands so; its message then.
std::string message_of(agent_process& agent, const std::string& id,
                       const std::string& standing = refused) {
  CHECK(agent.await_standing(id, standing) == standing);
  return resource_of(agent.status(), id).message;
}

} // namespace

TEST_CASE("policy: one resource of each kind that a rule refuses -> NotAllowed with its line, the "
          "others converge") {
  must("systemctl start podman.socket");
  build_test_image(image);
  const site at{"paths = [\"/srv/h-policy/data\"]\nunits = [\"h-ok.service\"]\n"
                "images = [\"localhost\"]\nports = [8080]\nmounts = [\"/srv/h-policy/data\"]\n"
                "users = [\"root\"]\npackages = []\ncapabilities = [\"CAP_CHOWN\"]\n"
                "exec-probes = false\n"};
  agent_process agent{agent_program, at.flags()};
  agent.start();
  const auto shadow = must("cat /etc/shadow");
  const std::string sleeps =
    R"("content":"[Service]\nCapabilityBoundingSet=\nExecStart=/bin/sleep infinity\n")";
  agent.apply(file_json("ok", at.data("ok"), "x") + ","
              + of_kind("File", "shadow", R"("path":"/etc/shadow","content":"x","adopt":true)")
              + "," + of_kind("Directory", "d", R"("path":"/srv/h-elsewhere")") + ","
              + of_kind("File", "given",
                        R"("path":")" + at.data("given") + R"(","content":"","owner":"mail")")
              + "," + of_kind("SystemdUnit", "ok", R"("unit":"h-ok.service",)" + sleeps) + ","
              + of_kind("SystemdUnit", "other", R"("unit":"h-other.service",)" + sleeps) + ","
              + of_kind("Container", "image", R"("image":"quay.io/x/y","pullPolicy":"Never")") + ","
              + of_kind("Container", "port",
                        R"("image":")" + image
                          + R"(","pullPolicy":"Never","ports":[{"host":8081,"container":80}])")
              + "," + bind_json("mount", "/etc") + "," + bind_json("ok", "/srv/h-policy/data") + ","
              + of_kind("Package", "p", R"("package":"hello")") + ","
              + of_kind("User", "u", R"("user":"h-user")") + ","
              + of_kind("ShellJob", "j", R"("command":["/bin/touch","/srv/h-policy/data/ran"])")
              + ","
              + file_json("probed", at.data("probed"), "x",
                          R"(,"probes":{"readiness":{"exec":{"command":["/bin/true"]}}})"));
  CHECK(agent.await_standing("File/ok", "Ready") == "Ready");
  CHECK(agent.await_standing("SystemdUnit/ok", "Ready") == "Ready");
  CHECK(agent.await_standing("Container/ok", "Ready") == "Ready");
  CHECK(message_of(agent, "File/shadow")
        == "agent.toml:2 policy.paths does not allow '/etc/shadow'");
  CHECK(message_of(agent, "Directory/d")
        == "agent.toml:2 policy.paths does not allow '/srv/h-elsewhere'");
  CHECK(message_of(agent, "SystemdUnit/other")
        == "agent.toml:3 policy.units does not allow unit 'h-other.service'");
  CHECK(message_of(agent, "Container/image")
        == "agent.toml:4 policy.images does not allow image 'quay.io/x/y'");
  CHECK(message_of(agent, "Container/port")
        == "agent.toml:5 policy.ports does not allow port 8081");
  CHECK(message_of(agent, "File/given") == "agent.toml:7 policy.users does not allow owner 'mail'");
  CHECK_THAT(message_of(agent, "Container/mount"), Contains("a mount of '/etc'"));
  CHECK(message_of(agent, "Package/p")
        == "agent.toml:8 policy.packages does not allow package "
           "'hello'");
  CHECK(message_of(agent, "User/u") == "agent.toml:7 policy.users does not allow account 'h-user'");
  CHECK_THAT(message_of(agent, "ShellJob/j"), Contains("does not allow kind ShellJob"));
  CHECK(message_of(agent, "File/probed")
        == "agent.toml:10 policy.exec-probes does not allow probe command '/bin/true' on the "
           "device");
  CHECK(must("cat /etc/shadow") == shadow);
  CHECK_FALSE(fs::exists("/srv/h-elsewhere"));
  CHECK_FALSE(fs::exists("/etc/systemd/system/h-other.service"));
  CHECK_FALSE(fs::exists(at.data("ran")));
  CHECK_FALSE(run("getent passwd h-user"));
  CHECK_FALSE(run("podman container exists harmony-port || podman container exists harmony-mount"));
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("policy: a manifest against the agent itself -> refused by whatever name, agent as it "
          "was") {
  must("systemctl start podman.socket");
  build_test_image(image);
  const site at{"shell-jobs = true\n"};
  agent_process agent{agent_program, at.flags()};
  agent.start();
  REQUIRE(agent.await_beats(1));
  const auto config = read_file(at.root / "agent.toml");
  // The same folder by another name, planted by somebody who may write beside it.
  const std::string alias = "/srv/h-elsewhere";
  fs::create_directories(alias);
  must("mount --bind /srv/h-policy " + alias);
  fs::create_directory_symlink("/srv/h-policy/state", at.data("link"));
  const std::string evil = R"(,"content":"[policy]\nshell-jobs = true\n","adopt":true)";
  agent.apply(
    of_kind("File", "config", R"("path":"/srv/h-policy/agent.toml")" + evil) + ","
    + of_kind("File", "state", R"("path":"/srv/h-policy/state/evil")" + evil) + ","
    + of_kind("File", "alias", R"("path":"/srv/h-elsewhere/agent.toml")" + evil) + ","
    + of_kind("File", "linked", R"("path":")" + at.data("link/evil") + "\"" + evil) + ","
    + of_kind("File", "binary", R"("path":")" + agent_program + "\"" + evil) + ","
    + of_kind("File", "drop-in",
              R"("path":"/etc/systemd/system/harmony-agent.service.d/x.conf")" + evil)
    + ","
    + of_kind("SystemdUnit", "unit",
              R"("unit":"harmony-agent.service","content":"[Service]\nExecStart=/bin/true\n")")
    + ","
    + of_kind(
      "SystemdUnit", "taken",
      R"("unit":"h-x.service","content":"[Service]\nExecStart=/bin/true\n[Install]\nAlias=harmony-agent.service\n")")
    + "," + bind_json("state", "/srv/h-policy/state", R"(,"readOnly":true)") + ","
    + bind_json("linked", at.data("link"), R"(,"readOnly":true)") + ","
    + bind_json("root", "/", R"(,"readOnly":true)") + ","
    + bind_json("socket", "/run/podman/podman.sock") + ","
    + of_kind("ShellJob", "j",
              R"("command":["/bin/true"],"writablePaths":["/srv/h-policy/state"])"));
  for (const auto* id :
       {"File/config", "File/state", "File/binary", "File/drop-in", "SystemdUnit/unit",
        "SystemdUnit/taken", "Container/state", "ShellJob/j"}) {
    INFO(id);
    CHECK_THAT(message_of(agent, id), Contains("that is the agent's own, and no manifest's"));
  }
  CHECK_THAT(message_of(agent, "Container/root"), Contains("the whole device"));
  CHECK_THAT(message_of(agent, "Container/socket"), Contains("which commands the device"));
  // What only a look at the device shows.
  CHECK(message_of(agent, "File/alias", "Failed NotAllowed")
        == "'/srv/h-elsewhere/agent.toml', which is '/srv/h-policy/agent.toml': that is the "
           "agent's own, and no manifest's");
  CHECK_THAT(message_of(agent, "Container/linked", "Failed NotAllowed"),
             Contains("'/srv/h-policy/state'") && Contains("leads there"));
  const auto linked = agent.await([](const agent_status& s) {
    return resource_of(s, "File/linked").phase == resource_phase::failed;
  });
  CHECK_THAT(resource_of(linked, "File/linked").reason,
             Contains("NotAllowed") || Contains("UnsafePath"));
  must("umount " + alias);
  CHECK(read_file(at.root / "agent.toml") == config);
  CHECK_FALSE(fs::exists(at.root / "state/evil"));
  CHECK_FALSE(fs::exists("/etc/systemd/system/harmony-agent.service"));
  CHECK_FALSE(fs::exists("/etc/systemd/system/harmony-agent.service.d"));
  CHECK_FALSE(
    run("podman ps -a --format '{{.Names}}' | grep -E '^harmony-(state|linked|root|socket)$'"));
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("policy: a link planted where a container may write -> its mount is refused, and allowed "
          "once it is gone") {
  must("systemctl start podman.socket");
  build_test_image(image);
  const site at{"mounts = [\"/srv/h-policy/data\"]\n"};
  fs::create_directory_symlink("/etc", at.data("app"));
  agent_process agent{agent_program, at.flags()};
  agent.start();
  agent.apply(bind_json("app", at.data("app")));
  CHECK_THAT(message_of(agent, "Container/app", "Failed NotAllowed"), Contains("'/etc'"));
  fs::remove(at.data("app"));
  fs::create_directory(at.data("app"));
  CHECK(agent.await_standing("Container/app", "Ready") == "Ready");
  agent.apply("");
  CHECK(agent.converged());
}

TEST_CASE("policy: made stricter -> what runs is left as it is and said, and collected when it "
          "leaves") {
  const site at{"units = [\"*\"]\n"};
  agent_process agent{agent_program, at.flags()};
  agent.start();
  const auto unit = unit_json("kept", "ExecStart=/bin/sleep infinity");
  agent.apply(unit);
  REQUIRE(agent.converged());
  const auto before = must("systemctl show --value -p InvocationID test-kept.service");
  CHECK(agent.stop() == 0);
  at.set("units = [\"other-*\"]\n");
  agent.start();
  CHECK(message_of(agent, "SystemdUnit/kept")
        == "agent.toml:2 policy.units does not allow unit 'test-kept.service'");
  CHECK(must("systemctl show --value -p InvocationID test-kept.service") == before);
  CHECK(run("systemctl is-active --quiet test-kept.service"));
  agent.apply(file_json("other", at.data("x"), "x"));
  CHECK(agent.converged());
  CHECK_FALSE(fs::exists("/etc/systemd/system/test-kept.service"));
}

TEST_CASE("policy: a file that others may write, or a wrong rule -> the agent does not start and "
          "names it") {
  const site at{"unit = []\n"};
  agent_process wrong{agent_program, at.flags()};
  wrong.start();
  CHECK(wrong.ending() == 2);
  CHECK_THAT(wrong.log(), Contains("agent.toml:2: policy.unit: there is no such rule"));
  at.set("");
  must("chmod 0666 /srv/h-policy/agent.toml");
  agent_process open{agent_program, at.flags()};
  open.start();
  CHECK(open.ending() == 2);
  CHECK_THAT(open.log(), Contains("agent.toml' can be written by everybody"));
  must("chmod 0644 /srv/h-policy/agent.toml; chown nobody /srv/h-policy/agent.toml");
  agent_process foreign{agent_program, at.flags()};
  foreign.start();
  CHECK(foreign.ending() == 2);
  CHECK_THAT(foreign.log(), Contains("belongs to another user"));
}

TEST_CASE("policy: plan and explain -> tell of the refusal before and after") {
  const site at{"paths = [\"/srv/h-policy/data\"]\n"};
  agent_process agent{agent_program, at.flags()};
  agent.start();
  const auto resources = of_kind("File", "motd", R"("path":"/etc/h-motd","content":"x")");
  const auto manifest = R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":)"
                        R"("pi-1","generation":1},"spec":{"resources":[)"
                        + resources + "]}}";
  write_file(at.root / "m.json", manifest);
  const auto ctl = "HARMONY_STORE=" + agent.store_url() + " " + HARMONYCTL + " ";
  REQUIRE(agent.await_beats(1));
  int code = 0;
  CHECK_THAT(shell(ctl + "plan -f " + (at.root / "m.json").string(), &code),
             Contains("NotAllowed: agent.toml:2 policy.paths does not allow '/etc/h-motd'"));
  agent.apply(resources);
  CHECK(message_of(agent, "File/motd") == "agent.toml:2 policy.paths does not allow '/etc/h-motd'");
  CHECK_THAT(shell(ctl + "explain pi-1 File/motd", &code),
             Contains("agent.toml:2 policy.paths does not allow '/etc/h-motd'"));
}

} // namespace harmony::test
