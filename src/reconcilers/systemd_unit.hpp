#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/marked_file.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/systemd.hpp"
#include "topology/systemd_journal.hpp"

namespace harmony {

/// What the inventory remembers of a unit's runs, as the note of its record.
struct unit_record {
  /// Of what the manager had loaded when this was written: see start_stamp. Every run that began
  /// since is of that. Empty: what the manager has loaded is not known.
  std::string stamp;
  /// The run that there was then (its InvocationID): of something older, as far as is known.
  /// Empty: there was none.
  std::string older_run;

  friend bool operator==(const unit_record&, const unit_record&) = default;
};

std::string write_note(const unit_record& r);
/// Any text can be read; a note of an earlier version has no older run.
unit_record read_unit_record(std::string_view note);

/// What is known of a unit: by the manager, on disk and in the inventory.
struct systemd_unit_observed {
  unit_properties unit;
  std::string path; ///< where its unit file belongs
  unit_file_owner file = unit_file_owner::none;
  std::string content;   ///< of our file, below the marker
  bool recorded = false; ///< the inventory has it
  bool lost = false;     ///< all of the inventory's former records are
  unit_record record;    ///< what is on record of its runs

  friend bool operator==(const systemd_unit_observed&, const systemd_unit_observed&) = default;
};

/// What a run of the unit depends on: its content and the restart stamp. Empty when nothing is
/// tracked (a unit of somebody else that follows no other resource).
std::string start_stamp(const desired<systemd_unit_spec>& want);

// The operations of systemd_unit_reconciler, on any service manager.
namespace systemd_unit {

outcome<systemd_unit_observed> observe(systemd_port& manager,
                                       const desired<systemd_unit_spec>& want, op_context& ctx);
outcome<std::vector<change>> plan(const desired<systemd_unit_spec>& want,
                                  const systemd_unit_observed& seen);
outcome<void> apply(systemd_port& manager, const desired<systemd_unit_spec>& want,
                    const std::vector<change>& todo, op_context& ctx);
/// Why the unit, just started, does not run; nothing: it does, or should not.
std::optional<failure> why_ended(systemd_port& manager, const desired<systemd_unit_spec>& want,
                                 const op_context& ctx);
outcome<void> remove(systemd_port& manager, const owned_target& owned, op_context& ctx);
resource_state report(const systemd_unit_observed& seen);
/// Stops `unit`, and waits for its end. One that is not there is success.
outcome<void> stop(systemd_port& manager, const std::string& unit, const wait_limit& limit);
/// The units whose files bear this agent's marker.
outcome<std::vector<owned_target>> marked(systemd_port& manager, const op_context& ctx);

} // namespace systemd_unit

/// Kind `SystemdUnit`: the unit file, whether it is enabled, whether it runs, and that it runs what
/// is declared. docs/reconcilers/systemd-unit.md says what each field does.
///
/// A unit is this agent's when the inventory records it and the file's first line says so.
///
/// Whether what runs is what is declared is not concluded from what the agent did (a start that
/// was given up may still come, and one of a unit that runs does nothing) but seen: the record
/// names the stamp that the manager has loaded and the run that is older than it. Any other run is
/// of the stamp. So the record is written
/// - before the file, when nothing of that name exists: no run but of this content can follow;
/// - otherwise emptied before the file is replaced, and written once the manager read it again,
///   before the restart. A kill anywhere in between restarts the older run, and only that.
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

  std::optional<failure> why_ended(const desired<systemd_unit_spec>& want, const op_context& ctx) {
    return systemd_unit::why_ended(topology_->systemd(), want, ctx);
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
