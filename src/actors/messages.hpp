#pragma once

// Every message that actors exchange: structs with meaning. They never leave the process, so they
// need no serialisation; large values travel as shared pointers to const.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>

#include "core/admission.hpp"
#include "core/lifecycle.hpp"
#include "core/time.hpp"
#include "model/manifest.hpp"
#include "model/status.hpp"
#include "reconcilers/driver.hpp"
#include "topology/monitor.hpp"
#include "topology/probe_port.hpp"
#include "transport/store.hpp"

namespace harmony {

using resource_ptr = std::shared_ptr<const resource>;
using manifest_ptr = std::shared_ptr<const manifest>;

/// A timer of the receiver's own fired. Late ones are told by their epoch, or by an alarm.
struct timer_due {
  std::uint64_t epoch = 0;
};

// --- dispatcher -> supervisor
// ---------------------------------------------------------------------

/// What the resource should be from now on.
struct desired_changed {
  resource_ptr what;
  std::string desire; ///< revision and restart stamp as one
  std::string restart_stamp;
  ev::dependencies needs;
};
/// Its declaration cannot be accepted.
struct desire_rejected {
  failure why;
  std::string origin;
};
struct dependencies_changed {
  ev::dependencies needs;
};
/// A hold began or ended: what holds it is to be looked up.
struct hold_changed {};
/// An operator wants it run again.
struct restart_asked {
  resource_id id;
};
struct restart_answered {
  std::optional<failure> refused;
  std::uint32_t attempts = 0; ///< as in restart_result
};
/// It left the manifest. Retained, the thing stays on the device and is nobody's.
struct removal_requested {
  bool retain = false;
};

// --- observer -> supervisor
// -----------------------------------------------------------------------

/// The runtime says that something happened to it.
struct runtime_observed {};

// --- prober -> supervisor
// -------------------------------------------------------------------------

/// The probes' verdict changed; `run` tells which start of them it speaks of.
struct probes_judged {
  std::uint64_t run = 0;
  ev::probed what;
};

// --- lanes
// ----------------------------------------------------------------------------------------

/// What a blocking operation answers: a failure, a look, a list, or that it is done.
struct operation_done {};
using operation_answer = std::variant<operation_done, failure, observation,
                                      std::vector<runtime_fact>, probe_result, logs_result>;
struct operation_finished {
  std::uint64_t operation = 0;
  operation_kind kind = operation_kind::none;
  operation_answer answer;
};
/// Blocking work; runs outside the scheduler. Must be copyable and must not throw.
using operation_work = std::function<operation_answer(std::stop_token, instant deadline)>;
struct cancel_operation {
  std::string key;
  std::uint64_t operation = 0;
};
/// From a worker thread: the work returned.
struct operation_returned {
  std::uint64_t ticket = 0;
  operation_answer answer;
};

// --- supervisor -> dispatcher -> status_aggregator
// ------------------------------------------------

/// Where a resource stands.
struct resource_reported {
  resource_id id;
  std::string desire; ///< which one the standing speaks of
  bool troubled = false;
  resource_status status;
};
/// A resource is gone from the device and from the manifest.
struct resource_forgotten {
  resource_id id;
};

// --- manifest_watcher -> dispatcher, status_aggregator
// --------------------------------------------

/// A document was not accepted.
struct manifest_refused {
  failure why;
  generation_number generation = 0;
};
/// A manifest is in force from now on.
struct manifest_accepted {
  manifest_ptr what;
  /// How long it may take to become ready, 0: as long as it takes; nothing: nobody asks, because it
  /// converged before.
  std::optional<duration> progress_deadline;
  /// The newer one that was given up for it; nothing: it is the newest.
  std::optional<manifest_refused> instead_of;
  /// What an earlier run of the agent owned and no manifest names any more, as far as it is to stay
  /// on the device (onRemove).
  std::set<resource_id> retained;
};
/// The refused document was replaced by the accepted one.
struct manifest_confirmed {};

/// From the store: the desired state may have changed.
struct desired_hinted {
  bool changed = false; ///< it did; false: nobody knows, e.g. after a reconnect
};

// --- dispatcher -> observer
// -----------------------------------------------------------------------

/// The things to follow, by the runtime's own name.
struct targets_changed {
  std::shared_ptr<const std::unordered_map<std::string, resource_id>> targets;
};
/// From the monitor's thread: something happened to `target`; empty: anything may have.
struct runtime_hinted {
  std::string target;
};

// --- observer -> dispatcher
// -----------------------------------------------------------------------

struct resource_touched {
  resource_id id;
};
/// Something bears the agent's mark that is none of the targets, and has never been in use.
struct stray_seen {
  runtime_kind runtime = runtime_kind::files;
};
/// Whether an observer sees its runtime.
struct observer_standing {
  runtime_kind runtime = runtime_kind::files;
  bool seeing = true;
  std::string message;
};

// --- anybody -> status_aggregator
// -----------------------------------------------------------------------

/// Something about the agent itself.
struct condition_changed {
  condition what;
};

// --- store -> status_aggregator, manifest_watcher
// -------------------------------------------------

struct connection_changed {
  bool connected = false;
  std::string detail;
};

// --- manifest_watcher -> status_aggregator
// -------------------------------------------------------------------

/// The store is not what it was: it answers again, or has an older revision than before.
struct store_doubted {};

// --- status_aggregator -> heartbeat
// ---------------------------------------------------------------

struct standing_changed {
  generation_number observed_generation = 0;
  agent_phase phase = agent_phase::starting;
};

// --- status_aggregator -> manifest_watcher
// -------------------------------------------------------------------

/// Every resource was ready at it.
struct generation_converged {
  generation_number generation = 0;
};
/// Its progress deadline passed before that; `why` names what is not ready.
struct generation_stalled {
  generation_number generation = 0;
  std::string why;
};
/// Own timer of the aggregator: the progress deadline.
struct progress_due {};

// --- command_server and what it asks
// -------------------------------------------------------------------

/// From the store: an operator asks something.
struct command_received {
  store_command what;
};
/// Everything is to be looked at anew, whatever was seen of it.
struct resync_requested {};
/// Where does the device stand?
struct status_asked {};
struct status_told {
  std::shared_ptr<const agent_status> what;
};
/// Which manifest is in force?
struct manifest_asked {};
struct manifest_told {
  manifest_ptr what; ///< null: none yet
};

// --- root
// -----------------------------------------------------------------------------------------

/// Which resources the aggregator must see current before it may say Converged.
struct expectation {
  generation_number generation = 0;
  std::optional<duration> progress_deadline;  ///< as in manifest_accepted
  std::optional<manifest_refused> instead_of; ///< likewise
  std::unordered_map<resource_id, std::string>
    desires; ///< empty text: rejected, nothing is desired
  /// What no manifest names any more and is still on the device: nothing has converged before it is
  /// forgotten.
  std::vector<resource_id> leaving;
  bool searching = false; ///< there may be more of these: search_ended will tell
};
struct expectation_changed {
  std::shared_ptr<const expectation> what;
};
/// From the dispatcher: whatever bears the agent's mark is among these.
struct search_ended {
  std::vector<resource_id> known;
};
/// From the manifest_watcher: the manifest is not put in force, because the agent crashed too often
/// on it.
struct safe_mode_entered {
  std::string why;
  std::shared_ptr<const manifest> held_back;
};
/// Own timer of the manifest_watcher: what was held back is tried once more.
struct safe_mode_due {};
/// Own timer of the manifest_watcher: the manifest in force has done well so long.
struct healthy_due {};
/// Finish what must be finished, answer nothing more, quit.
struct stop_requested {};
/// Are you there? Root asks those whose threads could hang; each adds one when it comes to it.
struct roll_call {
  std::shared_ptr<std::atomic<unsigned>> present;
};
/// How many answer a roll call: root, dispatcher, manifest_watcher, status_aggregator, heartbeat,
/// command_server.
inline constexpr unsigned roll_call_size = 6;
/// A configuration reload changed the interval.
struct interval_changed {
  duration interval{};
};

} // namespace harmony

#define HARMONY_LOCAL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(harmony::name)
HARMONY_LOCAL_MESSAGE(timer_due)
HARMONY_LOCAL_MESSAGE(desired_changed)
HARMONY_LOCAL_MESSAGE(desire_rejected)
HARMONY_LOCAL_MESSAGE(dependencies_changed)
HARMONY_LOCAL_MESSAGE(removal_requested)
HARMONY_LOCAL_MESSAGE(hold_changed)
HARMONY_LOCAL_MESSAGE(restart_asked)
HARMONY_LOCAL_MESSAGE(restart_answered)
HARMONY_LOCAL_MESSAGE(command_received)
HARMONY_LOCAL_MESSAGE(resync_requested)
HARMONY_LOCAL_MESSAGE(status_asked)
HARMONY_LOCAL_MESSAGE(status_told)
HARMONY_LOCAL_MESSAGE(manifest_asked)
HARMONY_LOCAL_MESSAGE(manifest_told)
HARMONY_LOCAL_MESSAGE(runtime_observed)
HARMONY_LOCAL_MESSAGE(probes_judged)
HARMONY_LOCAL_MESSAGE(operation_finished)
HARMONY_LOCAL_MESSAGE(cancel_operation)
HARMONY_LOCAL_MESSAGE(operation_returned)
HARMONY_LOCAL_MESSAGE(resource_reported)
HARMONY_LOCAL_MESSAGE(resource_forgotten)
HARMONY_LOCAL_MESSAGE(manifest_accepted)
HARMONY_LOCAL_MESSAGE(manifest_refused)
HARMONY_LOCAL_MESSAGE(manifest_confirmed)
HARMONY_LOCAL_MESSAGE(desired_hinted)
HARMONY_LOCAL_MESSAGE(targets_changed)
HARMONY_LOCAL_MESSAGE(runtime_hinted)
HARMONY_LOCAL_MESSAGE(resource_touched)
HARMONY_LOCAL_MESSAGE(stray_seen)
HARMONY_LOCAL_MESSAGE(observer_standing)
HARMONY_LOCAL_MESSAGE(connection_changed)
HARMONY_LOCAL_MESSAGE(store_doubted)
HARMONY_LOCAL_MESSAGE(standing_changed)
HARMONY_LOCAL_MESSAGE(generation_converged)
HARMONY_LOCAL_MESSAGE(generation_stalled)
HARMONY_LOCAL_MESSAGE(progress_due)
HARMONY_LOCAL_MESSAGE(expectation_changed)
HARMONY_LOCAL_MESSAGE(condition_changed)
HARMONY_LOCAL_MESSAGE(search_ended)
HARMONY_LOCAL_MESSAGE(safe_mode_entered)
HARMONY_LOCAL_MESSAGE(safe_mode_due)
HARMONY_LOCAL_MESSAGE(healthy_due)
HARMONY_LOCAL_MESSAGE(stop_requested)
HARMONY_LOCAL_MESSAGE(interval_changed)
HARMONY_LOCAL_MESSAGE(roll_call)
