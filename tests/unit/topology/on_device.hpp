#pragma once

#include <chrono>
#include <stop_token>

#include "topology/probe_runner.hpp"

namespace harmony::test {

/// Makes a check that needs neither systemd nor podman.
inline outcome<probe_result> on_device(const probe& p, const std::stop_token& cancel,
                                       std::chrono::steady_clock::time_point deadline) {
  return probe_runner{nullptr, nullptr}.check(p, {"File", "/x"}, cancel, deadline);
}

} // namespace harmony::test
