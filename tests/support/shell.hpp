#pragma once

#include <string>

namespace harmony::test {

/// Runs a command; what it printed, without the last newline. The exit status goes to `status`.
std::string shell(const std::string& command, int* status = nullptr);

} // namespace harmony::test
