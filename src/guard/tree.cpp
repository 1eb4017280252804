#include "guard/tree.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/process_tree.hpp"
#include "guard/system.hpp"

namespace harmony::guard {

namespace {

/// Where this process's cgroup is, if it is one of version 2 that a service manager made for it:
/// outside of one there is nobody to clean up.
std::string own_cgroup() {
  auto text = read_text(AT_FDCWD, "/proc/self/cgroup");
  constexpr std::string_view mark = "0::/";
  const auto at = text.rfind(mark, 0) == 0 ? 0 : text.find("\n0::/");
  if (at == std::string::npos)
    return {};
  auto path = text.substr(text.find("0::", at) + 3);
  path.resize(std::min(path.find('\n'), path.size()));
  if (path == "/" || path.find("/../") != std::string::npos)
    return {};
  for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
    if (::access((root + path + "/cgroup.kill").c_str(), F_OK) == 0)
      return root + path;
  return {};
}

bool is_postgres(pid_t pid) {
  std::string program(4096, '\0');
  const auto link = "/proc/" + std::to_string(pid) + "/exe";
  const auto n = ::readlink(link.c_str(), program.data(), program.size());
  program.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  constexpr std::string_view deleted = " (deleted)"; // an upgrade replaced it
  if (program.size() > deleted.size()
      && program.compare(program.size() - deleted.size(), deleted.size(), deleted) == 0)
    program.resize(program.size() - deleted.size());
  return program.substr(program.rfind('/') + 1) == "postgres";
}

} // namespace

tree::tree() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto own = own_cgroup();
  if (own.empty())
    return;
  cgroup_ = own + "/postgres";
  if (::mkdir(cgroup_.c_str(), 0755) != 0
      && (errno != EEXIST || ::rmdir(cgroup_.c_str()) != 0
          || ::mkdir(cgroup_.c_str(), 0755) != 0)) {
    cgroup_.clear(); // not ours to write, or somebody is in it
    return;
  }
  procs_ = open_fd{::open((cgroup_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC)};
  killer_ = open_fd{::open((cgroup_ + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC)};
}

tree::~tree() {
  if (!cgroup_.empty())
    ::rmdir(cgroup_.c_str());
}

void tree::enter() const noexcept {
  if (procs_)
    write_all(procs_.get(), "0");
}

std::size_t tree::kill(pid_t postmaster) const {
  // First what a pass over /proc does not have to find.
  if (killer_)
    write_all(killer_.get(), "1");
  return kill_descendants(::getpid(), postmaster);
}

bool works_in(pid_t pid, int folder) {
  struct stat here {
  }, there{};
  const auto link = "/proc/" + std::to_string(pid) + "/cwd";
  return pid > 0 && ::fstat(folder, &here) == 0 && ::stat(link.c_str(), &there) == 0
         && here.st_dev == there.st_dev && here.st_ino == there.st_ino && is_postgres(pid);
}

std::size_t kill_strays(int folder) {
  std::size_t found = 0;
  for (const auto& e : all_processes())
    if (e.alive && works_in(e.pid, folder)) {
      ++found;
      kill_exactly(e.pid, SIGKILL, [&] { return works_in(e.pid, folder); });
    }
  return found;
}

} // namespace harmony::guard
