#pragma once

#include <string>
#include <vector>

namespace harmony::test {

/// Runs a program, waits for it and gives what it printed (both streams), without the last line
/// feed. Throws std::runtime_error, with that text, unless it exits with 0.
std::string run_tool(const std::vector<std::string>& argv);

/// Builds a container image from nothing but the host's static busybox and stores it as
/// `reference` in podman's local store; nothing is pulled. `marker` is the content of the image's
/// file /marker: another marker gives another image. Its default command, `/bin/idle`, prints
/// "ready" and ends with 0 on SIGTERM; /etc/passwd knows `root` and `app` (1000:1000).
/// Throws std::runtime_error.
void build_test_image(const std::string& reference, const std::string& marker = "1");

} // namespace harmony::test
