#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/reconciler.hpp"
#include "topology/systemd.hpp"
#include "topology/systemd_journal.hpp"

namespace harmony {

/// Whose file lies at the unit's place in the manager's unit folder.
enum class unit_file_owner {
  none,    ///< nothing there
  ours,    ///< its first line names this agent and this resource
  foreign, ///< anything else
  masked   ///< a link to /dev/null
};

/// What is known of a unit: by the manager, on disk and in the inventory.
struct systemd_unit_observed {
  unit_properties unit;
  std::string path; ///< where its unit file belongs
  unit_file_owner file = unit_file_owner::none;
  std::string content;   ///< of our file, below the marker
  bool recorded = false; ///< the inventory has it
  bool lost = false;     ///< all of the inventory's former records are
  std::string stamp;     ///< recorded when it was last started: see start_stamp

  friend bool operator==(const systemd_unit_observed&, const systemd_unit_observed&) = default;
};

/// The first line of a unit file that the agent wrote, newline included. Content follows.
std::string unit_marker(std::string_view agent, const resource_id& id);

/// What a run of the unit depends on: its content and the restart stamp. Empty when nothing is
/// tracked (a unit of somebody else that follows no other resource). A running unit whose recorded
/// stamp differs is restarted.
std::string start_stamp(const desired<systemd_unit_spec>& want);

// The operations of systemd_unit_reconciler, on any service manager.
namespace systemd_unit {

outcome<systemd_unit_observed> observe(systemd_port& manager,
                                       const desired<systemd_unit_spec>& want, op_context& ctx);
outcome<std::vector<change>> plan(const desired<systemd_unit_spec>& want,
                                  const systemd_unit_observed& seen);
outcome<void> apply(systemd_port& manager, const desired<systemd_unit_spec>& want,
                    const std::vector<change>& todo, op_context& ctx);
outcome<void> remove(systemd_port& manager, const owned_target& owned, op_context& ctx);
resource_state report(const systemd_unit_observed& seen);
/// The units whose files bear this agent's marker.
outcome<std::vector<owned_target>> marked(systemd_port& manager, const op_context& ctx);

} // namespace systemd_unit

/// Kind `SystemdUnit`: the unit file, whether it is enabled, whether it runs, and that it runs what
/// is declared. docs/reconcilers/systemd-unit.md says what each field does.
///
/// A unit is this agent's when the inventory records it and the file's first line says so. The
/// record's note holds the start stamp; it is written
/// - before the file, when nothing of that name exists: no run but of this content can follow;
/// - once the manager accepted the (re)start, otherwise: a kill in between restarts once more, and
///   never too seldom.
template <has_systemd T>
class systemd_unit_reconciler {
public:
  using spec_type = systemd_unit_spec;
  using observed_type = systemd_unit_observed;
  static constexpr runtime_kind runtime = runtime_kind::systemd;

  /// `topology` must outlive this.
  explicit systemd_unit_reconciler(T& topology) : topology_(&topology) {}

  static std::string target(const desired<systemd_unit_spec>& want) { return want.spec.unit; }

  outcome<systemd_unit_observed> observe(const desired<systemd_unit_spec>& want, op_context& ctx) {
    return systemd_unit::observe(topology_->systemd(), want, ctx);
  }

  static outcome<std::vector<change>> plan(const desired<systemd_unit_spec>& want,
                                           const systemd_unit_observed& seen) {
    return systemd_unit::plan(want, seen);
  }

  outcome<void> apply(const desired<systemd_unit_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) {
    return systemd_unit::apply(topology_->systemd(), want, todo, ctx);
  }

  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return systemd_unit::remove(topology_->systemd(), owned, ctx);
  }

  static resource_state report(const systemd_unit_observed& seen) {
    return systemd_unit::report(seen);
  }

  static bool can_restart(const systemd_unit_spec& spec) {
    return spec.state == unit_state::active;
  }

  outcome<logs_result> logs(const desired<systemd_unit_spec>& want, const log_query& query,
                            op_context& ctx) requires has_journal<T> {
    return topology_->journal().read(want.spec.unit, query, {ctx.cancel, ctx.deadline});
  }

  outcome<std::vector<owned_target>> marked(op_context& ctx) {
    return systemd_unit::marked(topology_->systemd(), ctx);
  }

private:
  T* topology_;
};

} // namespace harmony
