#pragma once

#include <cstddef>
#include <string>

#include <sys/types.h>

#include "posix/descriptor.hpp"

namespace harmony::guard {

/// Where PostgreSQL's processes are: below this process, which is their subreaper, so that none
/// leaves by ending its parent; and, where the guard has a cgroup of its own, in a folder of it,
/// which the kernel kills in one call.
class tree {
public:
  tree();
  ~tree();
  tree(const tree&) = delete;
  tree& operator=(const tree&) = delete;

  /// The calling process, which was forked from the guard, enters it.
  void enter() const noexcept;

  /// One pass at killing all of it; answers how many were found alive.
  [[nodiscard]] std::size_t kill(pid_t postmaster) const;

  [[nodiscard]] bool has_cgroup() const { return bool{procs_}; }

private:
  std::string cgroup_; ///< its folder; empty: none
  open_fd procs_, killer_;
};

/// One pass at killing the postgres processes that work in `folder`, as all do in their data
/// directory: what a guard that was killed left over. Answers how many were found alive.
std::size_t kill_strays(int folder);
/// Whether `pid` is a postgres process that works in `folder`.
bool works_in(pid_t pid, int folder);

} // namespace harmony::guard
