#include "topology/files_watches.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace harmony {

namespace {

/// No IN_MODIFY: a busy log beside a managed file would wake the agent with every line.
constexpr std::uint32_t folder_events = IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO
                                        | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
                                        | IN_ONLYDIR | IN_DONT_FOLLOW;

/// The folder itself is not what it was.
constexpr std::uint32_t self_events = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string name_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string below(const std::string& folder, std::string_view name) {
  return (folder == "/" ? "/" : folder + "/").append(name);
}

bool is_folder(const std::string& path) {
  struct ::stat s {};
  return ::lstat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
}

std::pair<std::uint64_t, std::uint64_t> identity_of(const std::string& path) {
  struct ::stat s {};
  if (::lstat(path.c_str(), &s) != 0)
    return {};
  return {s.st_dev, s.st_ino};
}

} // namespace

file_watches::file_watches() : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  complete_ = static_cast<bool>(inotify_);
}

file_watches::hints file_watches::set_targets(const std::vector<std::string>& targets) {
  folders_.clear();
  for (const auto& t : targets)
    if (t.size() > 1 && t.front() == '/')
      folders_[parent_of(t)].insert(name_in(t));
  // What was watched before and still is keeps its watch descriptor: adding one again is cheap and
  // loses nothing.
  return arm();
}

file_watches::hints file_watches::arm() {
  hints out;
  complete_ = static_cast<bool>(inotify_);
  if (!inotify_)
    return out;
  const auto before = std::exchange(watches_, {});
  const auto present_before = std::exchange(present_, {});
  const auto identity_before = std::exchange(identity_, {});
  for (const auto& [folder, names] : folders_)
    arm_folder(folder, names);
  for (const auto& entry : before)
    if (watches_.find(entry.first) == watches_.end())
      ::inotify_rm_watch(inotify_.get(), entry.first);
  for (const auto& entry : folders_) {
    const auto& folder = entry.first;
    const auto was = identity_before.find(folder);
    const auto is = identity_.find(folder);
    const bool known = present_before.count(folder) > 0;
    const bool here = present_.count(folder) > 0;
    if (known != here || (known && was->second != is->second))
      add_all_of(folder, out);
  }
  return out;
}

void file_watches::arm_folder(const std::string& folder, const std::set<std::string>& names) {
  for (;;) {
    if (const int wd = add(folder); wd >= 0) {
      auto& w = watches_[wd];
      w.folders.insert(folder);
      for (const auto& name : names)
        w.names[name].insert(below(folder, name));
      present_.insert(folder);
      identity_[folder] = identity_of(folder);
      return;
    }
    // Await the first missing part of the way at the nearest folder that is there.
    auto missing = folder;
    int wd = -1;
    while (wd < 0 && missing != "/") {
      const auto above = parent_of(missing);
      wd = add(above);
      if (wd >= 0)
        watches_[wd].parts.insert(name_in(missing));
      else
        missing = above;
    }
    if (wd < 0 || !complete_)
      return;
    // It may have come between the look and the watch. A folder that inotify refuses all the same
    // (no permission) is left to the relist.
    if (!is_folder(missing))
      return;
    if (::access(missing.c_str(), R_OK) != 0) {
      complete_ = false;
      return;
    }
  }
}

int file_watches::add(const std::string& folder) {
  const int wd = ::inotify_add_watch(inotify_.get(), folder.c_str(), folder_events);
  if (wd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
    complete_ = false;
  return wd;
}

file_watches::hints file_watches::read_events() {
  hints out;
  bool stale = false;
  alignas(inotify_event) std::array<char, 1U << 14> buffer;
  for (;;) {
    const auto size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0)
      break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      take(event.wd, event.mask, name, out, stale);
      at += sizeof event + event.len;
    }
  }
  if (stale || out.lost) {
    auto more = arm();
    out.targets.merge(more.targets);
  }
  return out;
}

void file_watches::take(int wd, std::uint32_t mask, std::string_view name, hints& out,
                        bool& stale) const {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    out.lost = true;
    return;
  }
  const auto it = watches_.find(wd);
  if (it == watches_.end()) // of a watch that is gone already
    return;
  const auto& w = it->second;
  if ((mask & self_events) != 0) {
    stale = true;
    for (const auto& folder : w.folders)
      add_all_of(folder, out);
    return;
  }
  const std::string child{name};
  if (const auto targets = w.names.find(child); targets != w.names.end())
    out.targets.insert(targets->second.begin(), targets->second.end());
  const bool comes_or_goes =
    (mask & (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)) != 0;
  if (comes_or_goes && w.parts.count(child) > 0)
    stale = true;
}

void file_watches::add_all_of(const std::string& folder, hints& out) const {
  const auto it = folders_.find(folder);
  if (it == folders_.end())
    return;
  for (const auto& name : it->second)
    out.targets.insert(below(folder, name));
}

file_watches::hints file_watches::refresh() {
  for (const auto& [folder, known] : identity_)
    if (identity_of(folder) != known)
      return arm();
  return {};
}

} // namespace harmony
