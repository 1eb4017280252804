#pragma once

// The checks behind probe_runner.hpp.

#include "topology/check_limits.hpp"
#include "topology/probe_runner.hpp"

namespace harmony {

outcome<probe_result> check_exec(const exec_probe& p, const check_limits& limits);
outcome<probe_result> check_tcp(const tcp_probe& p, const check_limits& limits);
outcome<probe_result> check_http(const http_probe& p, const check_limits& limits);

} // namespace harmony
