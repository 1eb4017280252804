#pragma once

#include <string>
#include <variant>

#include "guard/launch.hpp"

namespace harmony::guard {

/// What harmony-pgguard runs with.
struct options {
  instance which;
  std::string socket;
};

/// What to print instead, and the exit code.
struct early_exit {
  int code = 0;
  std::string text;
};

/// Reads flags, and HARMONY_PGGUARD_… variables for those that are not given.
std::variant<options, early_exit> read_options(int argc, const char* const* argv);

} // namespace harmony::guard
