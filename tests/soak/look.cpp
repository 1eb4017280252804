// Whether the device is as the world wants it, seen with the system's own tools.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <sys/stat.h>

#include "soak/world.hpp"
#include "support/eventually.hpp"
#include "support/shell.hpp"

namespace harmony::soak {

namespace {

namespace fs = std::filesystem;
using test::shell;

std::string content_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string mode_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return "absent";
  std::ostringstream out;
  out << '0' << std::oct << (info.st_mode & 07777U);
  return (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) ? "" : "special ") + out.str();
}

/// Asked again while the manager executes itself anew and answers nobody.
std::string main_pid(const std::string& unit) {
  std::string pid;
  int status = -1;
  test::eventually(
    [&] {
      pid = shell("systemctl show --property=MainPID --value " + unit, &status);
      return status == 0;
    },
    std::chrono::seconds{20});
  return pid;
}

std::string command_of(const std::string& pid) {
  auto words = content_of("/proc/" + pid + "/cmdline");
  std::replace(words.begin(), words.end(), '\0', ' ');
  return "'" + words + "'";
}

bool has(const std::set<std::string>& all, const std::string& one) {
  return all.count(one) != 0;
}

std::string expected(const std::string& id, const std::string& what, const std::string& wanted,
                     const std::string& found) {
  return id + ": " + what + " is '" + found + "', wanted '" + wanted + "'";
}

} // namespace

void world::look_at_files(std::vector<std::string>& wrong) const {
  std::set<std::string> wanted;
  for (const auto& i : items_) {
    if (i.what != kind::directory && i.what != kind::file)
      continue;
    wanted.insert(i.at.string());
    if (const auto mode = mode_of(i.at); mode != i.mode())
      wrong.push_back(expected(i.id(), "its mode", i.mode(), mode));
    const auto variant = std::to_string(i.variant);
    if (i.what == kind::directory && !fs::is_directory(i.at))
      wrong.push_back(i.id() + ": it is no folder");
    else if (i.what == kind::file && content_of(i.at) != variant)
      wrong.push_back(expected(i.id(), "its content", variant, content_of(i.at)));
  }
  for (const auto& entry : fs::recursive_directory_iterator(site()))
    if (!has(wanted, entry.path().string()))
      wrong.push_back("'" + entry.path().string() + "' is left over");
}

void world::look_at_units(std::vector<std::string>& wrong) const {
  std::set<std::string> wanted;
  for (const auto& i : items_) {
    if (i.what != kind::unit)
      continue;
    wanted.insert(unit_of(i));
    const auto pid = main_pid(unit_of(i));
    const auto variables = content_of("/proc/" + pid + "/environ");
    const auto variable = "VARIANT=" + std::to_string(i.variant);
    if (pid == "0")
      wrong.push_back(i.id() + ": '" + unit_of(i)
                      + "' does not run: " + shell("systemctl is-active " + unit_of(i)));
    else if (variables.find(variable + '\0') == std::string::npos)
      wrong.push_back(i.id() + ": '" + unit_of(i) + "' runs without " + variable + ", as process '"
                      + pid + "' of " + command_of(pid));
    if (content_of("/etc/systemd/system/" + unit_of(i)).find(variable + "\n") == std::string::npos)
      wrong.push_back(i.id() + ": its unit file is without " + variable);
  }
  for (const auto& entry : fs::directory_iterator("/etc/systemd/system"))
    if (const auto name = entry.path().filename().string();
        name.rfind("soak-", 0) == 0 && !has(wanted, name))
      wrong.push_back("unit file '" + name + "' is left over");
  std::istringstream running{shell("systemctl list-units --plain --no-legend 'soak-*'")};
  for (std::string unit, rest; running >> unit && std::getline(running, rest);)
    if (!has(wanted, unit))
      wrong.push_back("unit '" + unit + "' is left over:" + rest);
}

void world::look_at_containers(std::vector<std::string>& wrong) const {
  std::set<std::string> wanted;
  for (const auto& i : items_) {
    if (i.what != kind::container)
      continue;
    wanted.insert(container_of(i));
    const auto found = shell("podman inspect --format '{{.State.Running}} {{.ImageName}} "
                             "{{.Config.Env}}' "
                             + container_of(i));
    if (found.rfind("true " + std::string{image(i.variant)} + " ", 0) != 0
        || found.find("VARIANT=" + std::to_string(i.variant)) == std::string::npos)
      wrong.push_back(expected(
        i.id(), "the container",
        "true " + std::string{image(i.variant)} + " VARIANT=" + std::to_string(i.variant), found));
  }
  std::istringstream all{shell("podman ps --all --format '{{.Names}}'")};
  for (std::string name; all >> name;)
    if (!has(wanted, name))
      wrong.push_back("container '" + name + "' is left over");
}

void world::look_at_jobs(std::vector<std::string>& wrong) const {
  for (const auto& i : items_) {
    const auto note = jobs() / (i.name() + "-" + std::to_string(i.variant));
    if (i.what == kind::job && !fs::exists(note))
      wrong.push_back(i.id() + ": it did not run");
  }
  for (const auto& entry : fs::directory_iterator(jobs()))
    if (const auto said = content_of(entry.path()); said.find('\n') + 1 != said.size())
      wrong.push_back("job " + entry.path().filename().string() + " ran more than once");
}

std::vector<std::string> world::out_of_place() const {
  std::vector<std::string> wrong;
  look_at_files(wrong);
  look_at_units(wrong);
  look_at_containers(wrong);
  look_at_jobs(wrong);
  return wrong;
}

} // namespace harmony::soak
