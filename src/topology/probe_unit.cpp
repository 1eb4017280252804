#include "topology/probe_checks.hpp"

namespace harmony {

namespace {

std::string_view name_of(active_state s) {
  switch (s) {
  case active_state::active: return "active";
  case active_state::reloading: return "reloading";
  case active_state::inactive: return "inactive";
  case active_state::failed: return "failed";
  case active_state::activating: return "activating";
  case active_state::deactivating: return "deactivating";
  }
  return "active";
}

/// As `systemctl is-active` has it: a service that reads its configuration again still serves.
bool is_in(const unit_row& unit, active_state wanted) {
  return unit.active == name_of(wanted)
         || (wanted == active_state::active && unit.active == name_of(active_state::reloading));
}

} // namespace

outcome<probe_result> check_unit(const unit_probe& p, systemd_port& units, const std::string& own,
                                 const check_limits& limits) {
  const auto& name = p.unit.empty() ? own : p.unit;
  const auto seen = units.list({name}, {limits.cancel(), limits.end()});
  // A service manager that does not answer says nothing of the unit.
  if (!seen)
    return {seen.error().code, "unit probe of '" + name + "': " + seen.error().message};
  const auto& unit = seen->front();
  if (is_in(unit, p.state))
    return probe_result{true, {}};
  auto why = "unit '" + name + "' is '" + unit.active + "' (" + unit.sub + ")";
  if (unit.load != "loaded")
    why += ", " + unit.load;
  return probe_result{false, why + "; expected '" + std::string{name_of(p.state)} + "'"};
}

} // namespace harmony
