#include "topology/probe_runner.hpp"

#include <algorithm>
#include <exception>

#include "topology/probe_checks.hpp"

namespace harmony {

namespace {

using std::chrono::steady_clock;

failure no_systemd() {
  return {ec::capability_missing,
          "this device cannot make a 'unit' probe: systemd is off in its configuration; probe with "
          "'exec', 'tcp' or 'http'"};
}

/// One check, by its kind.
struct checker {
  systemd_port* units;
  container_runtime* containers;
  const probe_subject& of;
  const check_limits& limits;

  outcome<probe_result> operator()(const exec_probe& p) const {
    return of.kind == "Container" && containers != nullptr
             ? check_exec(p, *containers, of.target, limits)
             : check_exec(p, limits);
  }
  outcome<probe_result> operator()(const tcp_probe& p) const { return check_tcp(p, limits); }
  outcome<probe_result> operator()(const http_probe& p) const { return check_http(p, limits); }
  outcome<probe_result> operator()(const unit_probe& p) const {
    if (units == nullptr)
      return no_systemd();
    return check_unit(p, *units, of.target, limits);
  }
};

} // namespace

outcome<probe_result> probe_runner::check(const probe& p, const probe_subject& of,
                                          const std::stop_token& cancel,
                                          steady_clock::time_point deadline) {
  try {
    const auto end = std::min(deadline, steady_clock::now() + std::chrono::seconds{p.timeout});
    const check_limits limits{cancel, end};
    if (limits.canceled())
      return {ec::canceled, "the probe was interrupted before it began"};
    return std::visit(checker{units_, containers_, of, limits}, p.check);
  } catch (const std::exception& e) {
    return {ec::internal, std::string{"the probe could not be made: "} + e.what()};
  }
}

std::optional<failure> probe_runner::lack(const probe& p) const {
  if (units_ == nullptr && std::holds_alternative<unit_probe>(p.check))
    return no_systemd();
  return {};
}

} // namespace harmony
