#pragma once

// The checks behind probe_runner.hpp.

#include "topology/check_limits.hpp"
#include "topology/probe_runner.hpp"

namespace harmony {

/// On the device.
outcome<probe_result> check_exec(const exec_probe& p, const check_limits& limits);
/// In `container`.
outcome<probe_result> check_exec(const exec_probe& p, container_runtime& runtime,
                                 const std::string& container, const check_limits& limits);
outcome<probe_result> check_tcp(const tcp_probe& p, const check_limits& limits);
outcome<probe_result> check_http(const http_probe& p, const check_limits& limits);
/// `own`: the unit that is meant where `p` names none.
outcome<probe_result> check_unit(const unit_probe& p, systemd_port& units, const std::string& own,
                                 const check_limits& limits);

} // namespace harmony
