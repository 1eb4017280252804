#pragma once

#include <string>

namespace harmony::test {

/// Runs a command; what it printed, without the last newline. The exit status goes to `status`.
std::string shell(const std::string& command, int* status = nullptr);

/// The same; requires that it succeeds.
std::string must(const std::string& command);

/// Whether it succeeds.
bool succeeds(const std::string& command);

} // namespace harmony::test
