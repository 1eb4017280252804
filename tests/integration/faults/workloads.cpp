// Resources of every kind that needs nothing from elsewhere.

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "device_facts.hpp"
#include "scenario.hpp"
#include "state/audit_log.hpp"
#include "support/nats_server.hpp"
#include "support/shell.hpp"
#include "support/temp_dir.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const std::string image = "localhost/harmony-matrix:1";
constexpr auto units = "/etc/systemd/system";

std::string file(const std::string& name, const fs::path& path, const std::string& content,
                 const std::string& more = {}) {
  return resource_json("File", name,
                       R"("path":")" + path.string() + R"(","content":")" + content + '"', more);
}

std::string unit(const std::string& name, const std::string& seconds, bool enabled) {
  return resource_json("SystemdUnit", name,
                       R"("unit":"matrix-)" + name
                         + R"(.service","content":"[Unit]\nStartLimitIntervalSec=0\n[Service]\n)"
                           R"(ExecStart=/bin/sleep )"
                         + seconds + R"(\n[Install]\nWantedBy=multi-user.target\n","enabled":)"
                         + (enabled ? "true" : "false"));
}

std::string container(const std::string& name, const std::string& word,
                      const std::string& more = {}) {
  return resource_json("Container", name,
                       R"("image":")" + image + R"(","pullPolicy":"IfNotPresent","network":"none",)"
                         + R"("command":["/bin/idle",")" + word + R"("])",
                       more);
}

std::string job(const std::string& name, const fs::path& root, const std::string& word) {
  const auto folder = (root / "jobs").string();
  return resource_json("ShellJob", name,
                       R"("command":["/bin/sh","-c","echo )" + word + " >> " + folder
                         + R"(/runs"],)" + R"("user":"root","writablePaths":[")" + folder
                         + R"("])");
}

/// Resources of all kinds but Package and Network.
class workloads_scenario : public scenario {
public:
  workloads_scenario() {
    fs::remove_all(root_);
    fs::create_directories(root_ / "jobs");
  }
  ~workloads_scenario() override;
  void set_up(const fs::path& state) override;
  [[nodiscard]] std::string resources(unsigned generation) const override;

private:
  void check(unsigned generation) override;
  void check_files(unsigned generation);
  void check_units(unsigned generation);
  void check_containers(unsigned generation);
  void check_jobs(unsigned generation);
  void check_account(unsigned generation);
  void check_audit();
  void check_own_files();

  const fs::path root_ = "/srv/harmony-matrix";
  fs::path state_;
};

/// A log that is full, so that the next record sets it aside.
void fill_audit_log(const fs::path& path) {
  static const auto full = [] {
    const temp_dir folder;
    const auto file = folder / "audit.log";
    audit_event event{"matrix", {}, {}, {}, "test", {}, std::string(1000, 'x')};
    audit_limits limits;
    limits.most_bytes *= 2; // so that it is not set aside yet
    audit_log log{
      file.string(), {[] { return timestamp{}; }, [] { return 0; }, [](auto&) {}}, limits};
    while (!fs::exists(file) || fs::file_size(file) < audit_limits{}.most_bytes) {
      for (int i = 0; i < 200; ++i)
        log.note(event);
      if (auto done = log.append(event); !done)
        throw std::runtime_error{done.error().message};
    }
    return read_file(file);
  }();
  write_file(path, full);
  fs::permissions(path, fs::perms{0600});
}

} // namespace

workloads_scenario::~workloads_scenario() {
  shell("systemctl stop 'matrix-*.service' 'harmony-job-*.service' 2>/dev/null;"
        "rm -f /etc/systemd/system/matrix-* /etc/systemd/system/.matrix-*"
        " /etc/systemd/system/multi-user.target.wants/matrix-*; systemctl daemon-reload;"
        "podman rm -f -t 0 harmony-keep harmony-again harmony-anew >/dev/null 2>&1;"
        "userdel matrix 2>/dev/null; groupdel matrix 2>/dev/null; true");
  fs::remove_all(root_);
}

std::string workloads_scenario::resources(unsigned generation) const {
  if (generation >= last_generation)
    return {};
  const bool first = generation == 1;
  const std::string after_a = R"(,"restartOn":["File/a"])";
  std::string text =
    resource_json("Directory", "dir",
                  R"("path":")" + (root_ / "dir").string() + R"(","mode":")"
                    + (first ? "0750" : "0755") + '"')
    + ","
    + file("a", root_ / "dir" / "a", first ? "one" : "two", R"(,"dependsOn":["Directory/dir"])")
    + "," + file("c", root_ / "c", "kept") + "," + unit("keep", "infinity", true) + ","
    + unit("change", first ? "100000" : "200000", first) + "," + container("keep", "1") + ","
    + container("again", "1", after_a) + "," + container("anew", first ? "1" : "2") + ","
    + job("once", root_, "once") + "," + job("twice", root_, first ? "one" : "two") + ","
    + resource_json("User", "matrix",
                    std::string{R"("user":"matrix","system":true,"comment":")"}
                      + (first ? "1" : "2") + '"');
  if (first)
    text += "," + file("b", root_ / "b", "gone soon") + "," + unit("gone", "infinity", false);
  return text;
}

void workloads_scenario::set_up(const fs::path& state) {
  state_ = state;
  fill_audit_log(state / "audit.log");
}

void workloads_scenario::check(unsigned generation) {
  check_files(generation);
  check_units(generation);
  check_containers(generation);
  check_jobs(generation);
  check_account(generation);
  check_audit();
  check_own_files();
}

void workloads_scenario::check_own_files() {
  expect("the set of its own keys, whole or not", "sealing.key",
         shell("cd " + state_.string() + " && ls -A | grep ^sealing"));
  expect_kept("key that secrets are sealed to", content_of(state_ / "sealing.key"));
}

void workloads_scenario::check_files(unsigned generation) {
  std::vector<std::string> there;
  for (const auto& each : fs::recursive_directory_iterator(root_))
    if (!each.path().string().starts_with((root_ / "jobs").string()))
      there.push_back(fs::relative(each.path(), root_).string());
  std::vector<std::string> wanted;
  if (generation < last_generation)
    wanted = {"dir", "dir/a", "c"};
  if (generation == 1)
    wanted.emplace_back("b");
  expect("the set of files", lines_of(wanted), lines_of(there));
  if (generation >= last_generation)
    return;
  expect("mode of dir", generation == 1 ? "750" : "755", mode_of(root_ / "dir"));
  expect("content of dir/a", generation == 1 ? "one" : "two", content_of(root_ / "dir" / "a"));
  expect("mode of dir/a", "644", mode_of(root_ / "dir" / "a"));
  expect_kept("inode of c", inode_of(root_ / "c"));
}

void workloads_scenario::check_units(unsigned generation) {
  std::vector<std::string> files;
  if (generation < last_generation)
    files = {"matrix-change.service", "matrix-keep.service"};
  if (generation == 1)
    files.emplace_back("matrix-gone.service");
  expect("the set of unit files", lines_of(files),
         sorted(shell(std::string{"cd "} + units + " && ls -A | grep matrix-")));
  std::vector<std::string> links;
  if (generation < last_generation)
    links.emplace_back("matrix-keep.service");
  if (generation == 1)
    links.emplace_back("matrix-change.service");
  expect("the set of enabled units", lines_of(links),
         sorted(shell(std::string{"ls "} + units
                      + "/multi-user.target.wants 2>/dev/null | grep matrix-")));
  expect("the set of running units", lines_of(files),
         sorted(shell("systemctl list-units --all --plain --no-legend --state=active "
                      "'matrix-*.service' | cut -d' ' -f1")));
  if (generation >= last_generation) {
    expect("the set of loaded units", "",
           shell("systemctl list-units --all --plain --no-legend 'matrix-*.service'"));
    return;
  }
  expect_kept("run of matrix-keep.service",
              shell("systemctl show -P InvocationID matrix-keep.service"));
  expect("command of matrix-change.service", generation == 1 ? "100000" : "200000",
         shell("tr '\\0' ' ' </proc/$(systemctl show -P MainPID matrix-change.service)/cmdline"
               " | cut -d' ' -f2"));
}

void workloads_scenario::check_containers(unsigned generation) {
  // The process number stands for the run; 0: it does not run.
  std::istringstream in{shell("podman ps -a --filter label=io.harmony.agent --format "
                              "'{{.Names}} {{.Pid}} {{.ID}} {{.Command}}'")};
  std::vector<std::string> there;
  std::string name;
  std::string pid;
  std::string id;
  for (std::string command; in >> name >> pid >> id && std::getline(in, command);) {
    there.push_back(name + (pid == "0" ? " ended" : " running"));
    if (name == "harmony-keep")
      expect_kept("run of " + name, id + pid);
    else if (name == "harmony-again")
      expect_kept("id of " + name, id);
    else
      expect("command of " + name, generation == 1 ? "/bin/idle 1" : "/bin/idle 2",
             command.substr(1));
  }
  std::vector<std::string> wanted;
  if (generation < last_generation)
    wanted = {"harmony-again running", "harmony-anew running", "harmony-keep running"};
  expect("the set of containers", lines_of(wanted), lines_of(there));
}

void workloads_scenario::check_jobs(unsigned generation) {
  std::vector<std::string> runs{"once", "one"};
  if (generation > 1)
    runs.emplace_back("two");
  const auto file = root_ / "jobs" / "runs";
  expect("the runs of the jobs", lines_of(runs), fs::exists(file) ? sorted(read_file(file)) : "");
  expect("the set of jobs' units", "",
         shell("systemctl list-units --all --plain --no-legend 'harmony-job-*.service'"));
  expect("what jobs left", "", shell("ls -A /run/harmony-jobs 2>/dev/null"));
}

void workloads_scenario::check_account(unsigned generation) {
  const auto wanted = generation >= last_generation ? "" : generation == 1 ? "1" : "2";
  expect("comment of account matrix", wanted, shell("getent passwd matrix | cut -d: -f5"));
  expect("group matrix", generation >= last_generation ? "" : "matrix",
         shell("getent group matrix | cut -d: -f1"));
}

void workloads_scenario::check_audit() {
  int status = 0;
  const auto said = shell(HARMONY_AGENT " audit verify --state-dir " + state_.string(), &status);
  expect("the audit trail", "0", std::to_string(status) + (status == 0 ? "" : ": " + said));
}

namespace {

void prepare_podman() {
  run_tool({"systemctl", "start", "podman.socket"});
  run_tool({"podman", "version"}); // its storage is set up
  build_test_image(image);
}

class nats_scenario final : public workloads_scenario {
public:
  [[nodiscard]] std::string store_url() const override { return server_.url(); }

private:
  nats_server server_;
};

} // namespace

scenario_kind workloads() {
  return {"workloads",
          {"state.", "files.", "unit-file.", "systemd.", "podman.inspect", "podman.image",
           "podman.list", "podman.create", "podman.start", "podman.stop", "podman.remove",
           "process.", "store.", "directory.", "status.", "audit.", "cache.empty", "own-file."},
          prepare_podman,
          [] { return std::make_unique<workloads_scenario>(); }};
}

scenario_kind nats_workloads() {
  return {"nats", {"store.", "nats.", "status."}, prepare_podman, [] {
            return std::make_unique<nats_scenario>();
          }};
}

} // namespace harmony::test
