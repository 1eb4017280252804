#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace harmony::guard {

/// One process of /proc.
struct process_entry {
  pid_t pid = 0;
  pid_t parent = 0;
  bool alive = false;        ///< no zombie
  std::uint64_t started = 0; ///< with `pid`: who it is, also when the number is used again

  friend bool operator==(const process_entry&, const process_entry&) = default;
};

/// Reads /proc/PID/stat; the program's name may hold anything, spaces and brackets too.
std::optional<process_entry> read_stat(std::string_view text);

/// The living descendants of `root`, which is not among them, out of all processes.
std::vector<process_entry> descendants_of(pid_t root, const std::vector<process_entry>& all);

/// All processes now. A process that comes or goes meanwhile may be missing.
std::vector<process_entry> all_processes();

/// One pass at killing all of `root`'s descendants but `spared`: `postmaster`, where it is one of
/// them, is stopped first, so that it starts no other, and killed last. Answers how many were found
/// alive: the tree is gone once a pass finds none, and `root` must be a subreaper for that.
///
/// It never hits another process that got a number meanwhile.
std::size_t kill_descendants(pid_t root, pid_t postmaster = 0, pid_t spared = 0);

/// Kills `pid` if `still` holds for it while its number cannot be used again; false where it was
/// not, or could not be.
bool kill_exactly(pid_t pid, int signal, const std::function<bool()>& still);

} // namespace harmony::guard
