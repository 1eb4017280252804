#include "scenario.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include <sys/stat.h>

#include "support/shell.hpp"
#include "support/temp_dir.hpp"
#include "support/test_image.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;

const std::string image = "localhost/harmony-matrix:1";
constexpr auto units = "/etc/systemd/system";

std::string resource(const std::string& kind, const std::string& name, const std::string& spec,
                     const std::string& more = {}) {
  return R"({"kind":")" + kind + R"(","name":")" + name + R"(","spec":{)" + spec + "}" + more + "}";
}

std::string file(const std::string& name, const fs::path& path, const std::string& content,
                 const std::string& more = {}) {
  return resource("File", name, R"("path":")" + path.string() + R"(","content":")" + content + '"',
                  more);
}

std::string unit(const std::string& name, const std::string& seconds, bool enabled) {
  return resource("SystemdUnit", name,
                  R"("unit":"matrix-)" + name
                    + R"(.service","content":"[Unit]\nStartLimitIntervalSec=0\n[Service]\n)"
                      R"(ExecStart=/bin/sleep )"
                    + seconds + R"(\n[Install]\nWantedBy=multi-user.target\n","enabled":)"
                    + (enabled ? "true" : "false"));
}

std::string container(const std::string& name, const std::string& word,
                      const std::string& more = {}) {
  return resource("Container", name,
                  R"("image":")" + image + R"(","pullPolicy":"IfNotPresent","network":"none",)"
                    + R"("command":["/bin/idle",")" + word + R"("])",
                  more);
}

std::string job(const std::string& name, const fs::path& root, const std::string& word) {
  const auto folder = (root / "jobs").string();
  return resource("ShellJob", name,
                  R"("command":["/bin/sh","-c","echo )" + word + " >> " + folder + R"(/runs"],)"
                    + R"("user":"root","writablePaths":[")" + folder + R"("])");
}

std::string lines_of(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  std::string text;
  for (const auto& each : all)
    text += each + "\n";
  return text;
}

std::string sorted(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty())
      lines.push_back(line);
  return lines_of(std::move(lines));
}

std::string mode_of(const fs::path& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) != 0)
    return "absent";
  std::ostringstream text;
  text << std::oct << (s.st_mode & 07777);
  return text.str();
}

std::string inode_of(const fs::path& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0 ? std::to_string(s.st_ino) : "absent";
}

std::string content_of(const fs::path& path) {
  return fs::exists(path) ? read_file(path) : "absent";
}

} // namespace

void scenario::prepare_device() {
  run_tool({"systemctl", "start", "podman.socket"});
  run_tool({"podman", "version"}); // its storage is set up
  build_test_image(image);
}

scenario::scenario() : root_("/srv/harmony-matrix") {
  fs::remove_all(root_);
  fs::create_directories(root_ / "jobs");
}

scenario::~scenario() {
  shell("systemctl stop 'matrix-*.service' 'harmony-job-*.service' 2>/dev/null;"
        "rm -f /etc/systemd/system/matrix-* /etc/systemd/system/.matrix-*"
        " /etc/systemd/system/multi-user.target.wants/matrix-*; systemctl daemon-reload;"
        "podman rm -f -t 0 harmony-keep harmony-again harmony-anew >/dev/null 2>&1;"
        "userdel matrix 2>/dev/null; groupdel matrix 2>/dev/null; true");
  fs::remove_all(root_);
}

std::string scenario::resources(unsigned generation) const {
  if (generation >= last_generation)
    return {};
  const bool first = generation == 1;
  const std::string after_a = R"(,"restartOn":["File/a"])";
  std::string text =
    resource("Directory", "dir",
             R"("path":")" + (root_ / "dir").string() + R"(","mode":")" + (first ? "0750" : "0755")
               + '"')
    + ","
    + file("a", root_ / "dir" / "a", first ? "one" : "two", R"(,"dependsOn":["Directory/dir"])")
    + "," + file("c", root_ / "c", "kept") + "," + unit("keep", "infinity", true) + ","
    + unit("change", first ? "100000" : "200000", first) + "," + container("keep", "1") + ","
    + container("again", "1", after_a) + "," + container("anew", first ? "1" : "2") + ","
    + job("once", root_, "once") + "," + job("twice", root_, first ? "one" : "two") + ","
    + resource("User", "matrix",
               std::string{R"("user":"matrix","system":true,"comment":")"} + (first ? "1" : "2")
                 + '"');
  if (first)
    text += "," + file("b", root_ / "b", "gone soon") + "," + unit("gone", "infinity", false);
  return text;
}

void scenario::expect(const std::string& what, const std::string& wanted,
                      const std::string& found) {
  if (wanted != found)
    found_.push_back(what + " is '" + found + "', not '" + wanted + "'");
}

std::vector<std::string> scenario::violations(unsigned generation) {
  found_.clear();
  check_files(generation);
  check_units(generation);
  check_containers(generation);
  check_jobs(generation);
  check_account(generation);
  return std::move(found_);
}

void scenario::check_files(unsigned generation) {
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
  const auto inode = inode_of(root_ / "c");
  expect("inode of c", kept_.try_emplace("c", inode).first->second, inode);
}

void scenario::check_units(unsigned generation) {
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
  const auto run = shell("systemctl show -P InvocationID matrix-keep.service");
  expect("run of matrix-keep.service", kept_.try_emplace("unit", run).first->second, run);
  expect("command of matrix-change.service", generation == 1 ? "100000" : "200000",
         shell("tr '\\0' ' ' </proc/$(systemctl show -P MainPID matrix-change.service)/cmdline"
               " | cut -d' ' -f2"));
}

void scenario::check_containers(unsigned generation) {
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
      expect("run of " + name, kept_.try_emplace(name, id + pid).first->second, id + pid);
    else if (name == "harmony-again")
      expect("id of " + name, kept_.try_emplace(name, id).first->second, id);
    else
      expect("command of " + name, generation == 1 ? "/bin/idle 1" : "/bin/idle 2",
             command.substr(1));
  }
  std::vector<std::string> wanted;
  if (generation < last_generation)
    wanted = {"harmony-again running", "harmony-anew running", "harmony-keep running"};
  expect("the set of containers", lines_of(wanted), lines_of(there));
}

void scenario::check_jobs(unsigned generation) {
  std::vector<std::string> runs{"once", "one"};
  if (generation > 1)
    runs.emplace_back("two");
  const auto file = root_ / "jobs" / "runs";
  expect("the runs of the jobs", lines_of(runs), fs::exists(file) ? sorted(read_file(file)) : "");
  expect("the set of jobs' units", "",
         shell("systemctl list-units --all --plain --no-legend 'harmony-job-*.service'"));
  expect("what jobs left", "", shell("ls -A /run/harmony-jobs 2>/dev/null"));
}

void scenario::check_account(unsigned generation) {
  const auto wanted = generation >= last_generation ? "" : generation == 1 ? "1" : "2";
  expect("comment of account matrix", wanted, shell("getent passwd matrix | cut -d: -f5"));
  expect("group matrix", generation >= last_generation ? "" : "matrix",
         shell("getent group matrix | cut -d: -f1"));
}

} // namespace harmony::test
