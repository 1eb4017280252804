#include "integration/packages/package_bed.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <sys/wait.h>

#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

const std::string repository = "/srv/harmony-repository";

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    std::ifstream status{entry.path() / "status"};
    std::string line;
    while (std::getline(status, line))
      if (line == "PPid:\t" + std::to_string(parent))
        found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

void check_ok(const outcome<void>& done) {
  INFO((done ? "" : done.error().message));
  REQUIRE(done.ok());
}

} // namespace

void require_device() {
  INFO("this test changes the system: run it with tests/testbed/device.sh exec");
  REQUIRE(std::filesystem::exists("/run/harmony-booted"));
}

void publish(const test_package& p) {
  const temp_dir dir;
  const auto tree = dir / "tree";
  write_file(tree / "DEBIAN/control",
             "Package: " + p.name + "\nVersion: " + p.version + "\nArchitecture: " + p.architecture
               + "\nMaintainer: Test <test@invalid>\n" + p.fields + "Description: of a test\n");
  write_file(tree / ("usr/share/" + p.name + "/version"), p.version + "\n");
  if (!p.postinst.empty()) {
    write_file(tree / "DEBIAN/postinst", "#!/bin/sh\nset -e\n" + p.postinst + "\n");
    std::filesystem::permissions(tree / "DEBIAN/postinst", std::filesystem::perms{0755});
  }
  if (!p.conffile.empty()) {
    write_file(tree / ("etc/" + p.name + ".conf"), p.conffile);
    write_file(tree / "DEBIAN/conffiles", "/etc/" + p.name + ".conf\n");
  }
  std::filesystem::permissions(tree, std::filesystem::perms{0755});
  must("cd " + repository + " && dpkg-deb -Znone --root-owner-group --build " + tree.string()
       + " . && for f in *.deb; do dpkg-deb --field $f; echo Filename: ./$f; "
         "echo Size: $(stat -c %s $f); echo SHA256: $(sha256sum $f | cut -d' ' -f1); echo; "
         "done >Packages.new && mv Packages.new Packages");
}

void reset_repository() {
  require_device();
  // apt takes a cached archive for that of another test when name, version and size are the same.
  must("rm -rf /etc/apt/sources.list.d/* " + repository
       + " /var/lib/apt/lists/* /var/cache/apt/archives/*.deb && mkdir -p " + repository + " && : >"
       + repository + "/Packages && echo 'deb [trusted=yes] copy:" + repository
       + " ./' >/etc/apt/sources.list");
  int ignored = 0;
  shell("dpkg --configure -a; for p in $(dpkg-query -W -f '${Package}\\n' 'ht-*'); do "
        "dpkg --purge --force-all $p; done",
        &ignored);
}

void kill_tree(pid_t pid) {
  ::kill(pid, SIGSTOP); // so that it starts no more
  for (const auto each : children_of(pid))
    kill_tree(each);
  ::kill(pid, SIGKILL);
}

package_bed::package_bed(const apt_config& config) : device(config) {
  require_device();
}

outcome<void> package_bed::converge(const desired<package_spec>& want, milliseconds limit) {
  auto ctx = context(limit);
  const auto seen = packages.observe(want, ctx);
  if (!seen)
    return seen.error();
  const auto todo = packages.plan(want, *seen);
  if (!todo)
    return todo.error();
  return todo->empty() ? outcome<void>{} : packages.apply(want, *todo, ctx);
}

void package_bed::must_converge(const desired<package_spec>& want) {
  check_ok(converge(want));
  CHECK(plan(want).empty());
}

outcome<void> package_bed::leave(const desired<package_spec>& want, milliseconds limit) {
  auto ctx = context(limit);
  for (const auto& t : owned.of(want.id))
    if (auto done = packages.remove(t, ctx); !done)
      return done;
  return {};
}

package_info package_bed::look(const std::string& package) {
  const auto found = device.manager.look({package});
  REQUIRE(found.ok());
  return found->front();
}

std::vector<change> package_bed::plan(const desired<package_spec>& want) {
  auto ctx = context(seconds{10});
  const auto seen = packages.observe(want, ctx);
  REQUIRE(seen.ok());
  auto todo = packages.plan(want, *seen);
  REQUIRE(todo.ok());
  return std::move(*todo);
}

} // namespace harmony::test
