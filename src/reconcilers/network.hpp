#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/file_entry.hpp"
#include "reconcilers/network_record.hpp"
#include "reconcilers/network_steps.hpp"
#include "reconcilers/reconciler.hpp"
#include "topology/network.hpp"
#include "topology/network_boot_files.hpp"

namespace harmony {

struct network_observed {
  std::optional<link_facts> link; ///< absent: there is none
  /// The links that the spec names: its members and its parent; absent ones have none.
  std::map<std::string, std::optional<link_facts>> others;
  std::vector<std::string> members; ///< of the bridge, as it is
  bool recorded = false;            ///< the inventory has it
  bool created = false;             ///< the agent made it
  network_record record;
  std::vector<boot_file> boot;

  friend bool operator==(const network_observed&, const network_observed&) = default;
};

/// How the agent waits, and where files are; the defaults are a device's.
struct network_config {
  boot_clock clock = kernel_boot_clock();
  std::filesystem::path root = "/";
  std::chrono::milliseconds pause{250};     ///< between two questions to the store
  std::chrono::milliseconds question{4000}; ///< how long one may take
  /// An apply returns so long before its deadline, to be able to undo within it.
  std::chrono::milliseconds reserve{20'000};
};

/// The work of `network_reconciler`, for any topology. docs/reconcilers/network.md is its
/// specification.
///
///   plan ─> record (what was before, until when) ─> change ─> store reached ─> record ─> boot
///   files
///                                                        └─> not in time ─> undo ─> record
///
/// Invariants:
/// - what the agent takes away it once added itself, and the record said so before it was added;
/// - a change that must be confirmed is either confirmed, undone, or recorded with what was before;
/// - no two changes of the network at once, of whichever resource: who waits to be confirmed must
///   not be misled by what another did.
class network_operations {
public:
  network_operations(network_port& network, connectivity& commander, network_config config)
    : network_(network), commander_(commander), config_(std::move(config)), files_(config_.root) {}

  outcome<network_observed> observe(const desired<network_spec>& want, op_context& ctx);
  static outcome<std::vector<change>> plan(const desired<network_spec>& want,
                                           const network_observed& seen);
  outcome<void> apply(const desired<network_spec>& want, op_context& ctx);
  outcome<void> remove(const owned_target& owned, op_context& ctx);
  static resource_state report(const network_observed& seen);

private:
  outcome<void> change_link(const desired<network_spec>& want, const network_observed& seen,
                            const std::vector<change>& todo, op_context& ctx);
  outcome<void> claim(const resource_id& id, const std::string& link, const network_record& record,
                      op_context& ctx);
  /// Waits until the change is confirmed or must be undone, and does that.
  outcome<void> settle(const resource_id& id, const std::string& link, op_context& ctx);
  outcome<void> undo(const resource_id& id, const std::string& link, const network_record& record,
                     op_context& ctx);
  outcome<bool> confirmed_in_time(const network_trial& trial, op_context& ctx);
  outcome<void> forget_surplus(const desired<network_spec>& want, op_context& ctx);
  bool ask(std::chrono::milliseconds at_most, const op_context& ctx);

  network_port& network_;
  connectivity& commander_;
  network_config config_;
  network_boot_files files_;
  turns turns_;
};

/// Kind `Network`.
template <has_network T>
class network_reconciler {
public:
  using spec_type = network_spec;
  using observed_type = network_observed;
  static constexpr runtime_kind runtime = runtime_kind::network;

  /// `topology` must outlive this.
  explicit network_reconciler(T& topology, network_config config = {})
    : work_(topology.network(), topology.commander(), std::move(config)) {}

  static std::string target(const desired<network_spec>& want) { return want.spec.link; }

  outcome<network_observed> observe(const desired<network_spec>& want, op_context& ctx) {
    return work_.observe(want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<network_spec>& want,
                                           const network_observed& seen) {
    return network_operations::plan(want, seen);
  }
  outcome<void> apply(const desired<network_spec>& want, const std::vector<change>& /*todo*/,
                      op_context& ctx) {
    return work_.apply(want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return work_.remove(owned, ctx);
  }
  static resource_state report(const network_observed& seen) {
    return network_operations::report(seen);
  }

private:
  network_operations work_;
};

} // namespace harmony
