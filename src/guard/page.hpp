#pragma once

#include <atomic>
#include <cstdint>

#include "guard/machine.hpp"

namespace harmony::guard {

/// What the guard's process shows to its backstop, in memory that both have.
struct page {
  std::atomic<std::uint64_t> beats{0}; ///< rounds of the guard's loop
  std::atomic<std::int64_t> deadline{0};
  std::atomic<bool> writable{false};
  std::atomic<bool> killing{false};
  std::atomic<bool> ready{false};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free
              && std::atomic<std::int64_t>::is_always_lock_free
              && std::atomic<bool>::is_always_lock_free);

/// How long after a deadline the guard must have begun to kill, and between its passes at most.
inline constexpr boot_time backstop_grace = std::chrono::milliseconds{100};

/// What the backstop saw of the page.
struct look {
  std::uint64_t beats = 0;
  boot_time deadline{0};
  bool writable = false;
  bool killing = false;
};

/// Whether the guard does not do its duty at `now`: PostgreSQL may be writing after the deadline
/// and it has not begun to kill, or it began and has made no pass since the look `before`, which is
/// a grace older.
constexpr bool hung(const look& before, const look& seen, boot_time now) noexcept {
  if (!seen.writable)
    return false;
  if (!seen.killing)
    return now >= seen.deadline + backstop_grace;
  return before.killing && before.beats == seen.beats;
}

/// When the backstop must look again; 0: when the page changes.
constexpr boot_time next_look(const look& seen, boot_time now) noexcept {
  if (!seen.writable)
    return {};
  return seen.killing ? now + backstop_grace : seen.deadline + backstop_grace;
}

} // namespace harmony::guard
