#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/reconciler.hpp"
#include "topology/containers.hpp"

namespace harmony {

/// The labels that make a container this agent's. Ownership is decided by them alone, so it
/// outlives the agent's own database.
namespace container_label {
inline constexpr auto agent = "io.harmony.agent";
inline constexpr auto resource = "io.harmony.resource"; ///< "Container/<name>"
inline constexpr auto revision = "io.harmony.revision"; ///< hash of the spec
inline constexpr auto restart_stamp = "io.harmony.restart-stamp";
inline constexpr auto secrets = "io.harmony.secrets"; ///< keyed mark of the values; none: has none
} // namespace container_label

/// The value of a label; "" where there is none.
std::string label_of(const container_info& info, const char* key);

/// What the inventory remembers of a container beside its name; it outlives the agent's restart.
struct container_note {
  std::string revision;       ///< that `restarts` counts for
  std::string restart_stamp;  ///< last one acted on
  std::uint32_t restarts = 0; ///< starts after it had ended by itself
  bool restarting = false;    ///< a restart for a new stamp has begun

  friend bool operator==(const container_note&, const container_note&) = default;
};

std::string write_note(const container_note& note);
container_note read_note(const std::string& text);

struct container_observed {
  std::optional<container_info> found; ///< the container of the target's name
  bool ours = false;                   ///< its labels name this agent and this resource
  bool recorded = false;               ///< the inventory has it
  container_note note;
  std::string last_words; ///< of an exited one: the end of its log, at most 512 bytes

  friend bool operator==(const container_observed&, const container_observed&) = default;
};

/// The reconciler's logic, free of its topology's type.
namespace container_ops {
std::string target(const desired<container_spec>& want);
outcome<container_observed> observe(container_runtime& runtime, const desired<container_spec>& want,
                                    op_context& ctx);
outcome<std::vector<change>> plan(const desired<container_spec>& want,
                                  const container_observed& seen);
outcome<void> apply(container_runtime& runtime, const desired<container_spec>& want,
                    const std::vector<change>& todo, op_context& ctx);
/// Ensures the image, as the pull policy says.
outcome<void> fetch(container_runtime& runtime, const desired<container_spec>& want,
                    op_context& ctx);
/// How the container, just started, ended; nothing: it runs.
std::optional<failure> why_ended(container_runtime& runtime, const desired<container_spec>& want,
                                 op_context& ctx);
outcome<void> remove(container_runtime& runtime, const owned_target& owned, op_context& ctx);
/// The containers that bear this agent's label.
outcome<std::vector<owned_target>> marked(container_runtime& runtime, const op_context& ctx);
/// Of those, the ones that podman made for this agent when it no longer waited: on no record, and
/// never started. One that ran was let go on purpose (`onRemove: retain`), or renamed by hand.
outcome<std::vector<owned_target>> strays(container_runtime& runtime, const op_context& ctx);
resource_state report(const container_observed& seen);
} // namespace container_ops

/// Kind `Container`: one container named `harmony-<resource name>`, kept running.
///
/// A container whose revision label equals the desired revision is kept as it is, whoever started
/// it last; another revision, or other values of its secrets, replace it, once the new image is on
/// the device. One that ended is
/// started again. docs/reconcilers/container.md has it for users.
template <has_containers T>
class container_reconciler {
public:
  using spec_type = container_spec;
  using observed_type = container_observed;
  static constexpr auto runtime = runtime_kind::containers;

  /// `topology` outlives the reconciler.
  explicit container_reconciler(T& topology) : topology_(topology) {}

  static std::string target(const desired<container_spec>& want) {
    return container_ops::target(want);
  }
  outcome<container_observed> observe(const desired<container_spec>& want, op_context& ctx) {
    return container_ops::observe(topology_.containers(), want, ctx);
  }
  static outcome<std::vector<change>> plan(const desired<container_spec>& want,
                                           const container_observed& seen) {
    return container_ops::plan(want, seen);
  }
  outcome<void> apply(const desired<container_spec>& want, const std::vector<change>& todo,
                      op_context& ctx) {
    return container_ops::apply(topology_.containers(), want, todo, ctx);
  }
  static bool fetches(const container_spec& spec) { return spec.pull != pull_policy::never; }
  outcome<void> fetch(const desired<container_spec>& want, op_context& ctx) {
    return container_ops::fetch(topology_.containers(), want, ctx);
  }
  std::optional<failure> why_ended(const desired<container_spec>& want, op_context& ctx) {
    return container_ops::why_ended(topology_.containers(), want, ctx);
  }
  outcome<void> remove(const owned_target& owned, op_context& ctx) {
    return container_ops::remove(topology_.containers(), owned, ctx);
  }
  static resource_state report(const container_observed& seen) {
    return container_ops::report(seen);
  }
  static bool can_restart(const container_spec& /*spec*/) { return true; }
  outcome<logs_result> logs(const desired<container_spec>& want, const log_query& query,
                            op_context& ctx) {
    return topology_.containers().logs(target(want), query, {ctx.cancel, ctx.deadline});
  }
  outcome<std::vector<owned_target>> marked(op_context& ctx) {
    return container_ops::marked(topology_.containers(), ctx);
  }
  outcome<std::vector<owned_target>> strays(op_context& ctx) {
    return container_ops::strays(topology_.containers(), ctx);
  }

private:
  T& topology_;
};

} // namespace harmony
