#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "topology/files.hpp"

namespace harmony {

/// The inotify watches that a set of paths needs. Not thread-safe: belongs to the monitor's thread.
class file_watches {
public:
  /// What came out of some events.
  struct hints {
    std::set<std::string> targets;
    bool lost = false; ///< events were lost: anything may have happened
  };

  file_watches();

  /// The descriptor to poll for input; -1: there is no inotify.
  [[nodiscard]] int fd() const noexcept { return inotify_.get(); }

  /// Whether every folder has its watch, or one at the nearest folder above that exists.
  [[nodiscard]] bool complete() const noexcept { return complete_; }

  /// Sets the paths of interest. Gives a hint for those whose folder came or went since.
  hints set_targets(const std::vector<std::string>& targets);

  /// Reads all events that are there.
  hints read_events();

  /// Checks that each watched folder is still the one of that name; a folder above it may have been
  /// renamed, which no event tells. Gives the targets of those that are not.
  hints refresh();

private:
  /// One inode, which may have several paths (a bind mount, a symlink above it).
  struct watched {
    std::set<std::string> folders;                      ///< of folders_
    std::map<std::string, std::set<std::string>> names; ///< name -> targets right in it
    std::set<std::string> parts; ///< first missing part of the way to a folder below it
  };

  hints arm();
  void arm_folder(const std::string& folder, const std::set<std::string>& names);
  int add(const std::string& folder);
  void take(int wd, std::uint32_t mask, std::string_view name, hints& out, bool& stale) const;
  void add_all_of(const std::string& folder, hints& out) const;

  open_fd inotify_;
  bool complete_ = true;
  std::map<std::string, std::set<std::string>> folders_; ///< of the targets: folder -> names
  std::map<int, watched> watches_;                       ///< by watch descriptor
  std::set<std::string> present_;                        ///< folders with a watch of their own
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> identity_; ///< device, inode
};

} // namespace harmony
