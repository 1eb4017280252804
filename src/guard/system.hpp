#pragma once

#include <string>
#include <string_view>

#include "guard/machine.hpp"
#include "posix/descriptor.hpp"

namespace harmony::guard {

/// CLOCK_BOOTTIME.
boot_time boot_now() noexcept;

/// A timer of CLOCK_BOOTTIME, which also wakes the host where this process may do that.
open_fd make_timer();
/// Lets it be readable from `at` on; 0: never.
void set_timer(int timer, boot_time at) noexcept;

/// Writes one line to the standard error, or drops it: a journal that does not read must not hold
/// up the guard.
void say(std::string_view line) noexcept;

/// `what`, and why errno says it failed.
std::string because(std::string_view what, int error);

/// The file's first bytes, 4 KiB at most; empty where it cannot be read.
std::string read_text(int folder, const char* name);

/// Keeps this process in memory, unkilled when memory runs out, and ahead of others for the
/// processor, as far as it may. Names in `lacking` what it may not.
void harden(std::string& lacking);

/// Tells the service manager, where there is one: "READY=1".
void tell_manager(std::string_view what) noexcept;
/// How often it wants to hear WATCHDOG=1 at least; 0: not at all.
boot_time watchdog_period() noexcept;

} // namespace harmony::guard
