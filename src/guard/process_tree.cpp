#include "guard/process_tree.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/words.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

namespace {

std::optional<process_entry> entry_of(pid_t pid) {
  const auto path = "/proc/" + std::to_string(pid) + "/stat";
  const open_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 512> text{}; // the fields that are read come first
  const auto n = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (n <= 0)
    return std::nullopt;
  return read_stat({text.data(), static_cast<std::size_t>(n)});
}

void kill_entry(const process_entry& e, int signal) {
  kill_exactly(e.pid, signal, [&] {
    const auto now = entry_of(e.pid);
    return now && now->started == e.started;
  });
}

} // namespace

std::optional<process_entry> read_stat(std::string_view text) {
  // "12 (name) S 1 …": state, parent, and as the 20th after the name when it started.
  constexpr int started_at = 20;
  process_entry e;
  const auto open = text.find(" (");
  const auto close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open
      || !read_number(text.substr(0, open), e.pid))
    return std::nullopt;
  auto rest = text.substr(close + 2);
  const auto state = next_word(rest);
  e.alive = state != "Z" && state != "X";
  if (!read_number(next_word(rest), e.parent))
    return std::nullopt;
  for (int i = 3; i < started_at; ++i)
    next_word(rest);
  if (!read_number(next_word(rest), e.started))
    return std::nullopt;
  return e;
}

std::vector<process_entry> descendants_of(pid_t root, const std::vector<process_entry>& all) {
  std::vector<pid_t> parents{root};
  std::vector<process_entry> found;
  for (std::size_t i = 0; i < parents.size(); ++i)
    for (const auto& e : all)
      if (e.parent == parents[i] && e.pid != root) {
        parents.push_back(e.pid);
        if (e.alive)
          found.push_back(e);
      }
  return found;
}

std::vector<process_entry> all_processes() {
  std::vector<process_entry> all;
  auto* proc = ::opendir("/proc");
  if (proc == nullptr)
    return all;
  while (const auto* each = ::readdir(proc)) {
    pid_t pid = 0;
    if (!read_number(std::string_view{each->d_name}, pid))
      continue;
    if (const auto e = entry_of(pid))
      all.push_back(*e);
  }
  ::closedir(proc);
  return all;
}

bool kill_exactly(pid_t pid, int signal, const std::function<bool()>& still) {
  const open_fd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  return process && still()
         && ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

std::size_t kill_descendants(pid_t root, pid_t postmaster, pid_t spared) {
  if (const auto e = entry_of(postmaster); postmaster > 0 && e && e->parent == root)
    kill_entry(*e, SIGSTOP);
  auto found = descendants_of(root, all_processes());
  std::erase_if(found, [&](const process_entry& e) { return e.pid == spared; });
  std::stable_partition(found.begin(), found.end(),
                        [&](const process_entry& e) { return e.pid != postmaster; });
  for (const auto& e : found)
    kill_entry(e, SIGKILL);
  return found.size();
}

} // namespace harmony::guard
