#pragma once

// The interface of every actor: the protocol of the whole agent in one place.
//
//   root ── manifest_watcher, dispatcher, supervisor × N, observer × runtime, lane × runtime,
//           status_aggregator, heartbeat, command_server ── device_planner × plan
//
// manifest_watcher, status_aggregator, heartbeat and command_server call the store, which may
// block: each has a thread of its own. All others are scheduled and never block; blocking work on
// the device goes to a lane.

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/messages.hpp"

namespace harmony {

/// Whoever gave an operation to a lane.
using operation_client = caf::typed_actor<
  /// The operation is over, or its deadline passed (failure timed_out).
  caf::reacts_to<operation_finished>>;

/// Blocking work on behalf of `client`.
struct run_operation {
  operation_client client;
  std::uint64_t operation = 0;
  operation_kind kind = operation_kind::none;
  std::string key; ///< never two operations of one key at once
  duration limit{};
  operation_work work;
};

using lane_actor = caf::typed_actor<
  /// Runs the work on a worker thread as soon as there is room; answers with operation_finished.
  caf::reacts_to<run_operation>,
  /// Asks the work to stop; the answer still comes, at the latest after a grace time.
  caf::reacts_to<cancel_operation>,
  /// From a worker thread.
  caf::reacts_to<operation_returned>,
  /// Own timer: deadlines, and room for those that wait behind stuck ones.
  caf::reacts_to<timer_due>,
  /// Asks everything to stop; quits when all returned or at once when asked again.
  caf::reacts_to<stop_requested>>;

using supervisor_actor =
  caf::typed_actor<caf::reacts_to<desired_changed>, caf::reacts_to<desire_rejected>,
                   caf::reacts_to<dependencies_changed>, caf::reacts_to<removal_requested>,
                   /// From its prober.
                   caf::reacts_to<probes_judged>,
                   /// The runtime says that something happened to it: look.
                   caf::reacts_to<runtime_observed>,
                   /// From its lane.
                   caf::reacts_to<operation_finished>,
                   /// A hold began, or ended.
                   caf::reacts_to<hold_changed>,
                   /// From an operator: run it again; answered when that is under way.
                   caf::replies_to<restart_asked>::with<restart_answered>,
                   /// Own timer: retry.
                   caf::reacts_to<timer_due>,
                   /// Cancels what is in flight and quits; the thing on the device keeps running.
                   caf::reacts_to<stop_requested>>;

using prober_actor = caf::typed_actor<
  /// The check is over.
  caf::reacts_to<operation_finished>,
  /// Own timer: the next check.
  caf::reacts_to<timer_due>, caf::reacts_to<stop_requested>>;

using observer_actor = caf::typed_actor<
  /// Which targets to follow.
  caf::reacts_to<targets_changed>,
  /// From the monitor's thread.
  caf::reacts_to<runtime_hinted>,
  /// The relist is over.
  caf::reacts_to<operation_finished>,
  /// Own timer: relist.
  caf::reacts_to<timer_due>, caf::reacts_to<stop_requested>>;

/// From root: an observer takes part.
struct observer_joined {
  runtime_kind runtime = runtime_kind::files;
  observer_actor observer;
};

using dispatcher_actor =
  caf::typed_actor<caf::reacts_to<roll_call>, caf::reacts_to<observer_joined>,
                   /// A manifest is in force: supervisors follow.
                   caf::reacts_to<manifest_accepted>,
                   /// To the aggregator, which must not hear of it before it hears of what was
                   /// accepted before.
                   caf::reacts_to<manifest_refused>, caf::reacts_to<manifest_confirmed>,
                   /// From a supervisor: passed on to the aggregator; may unblock dependents.
                   caf::reacts_to<resource_reported>,
                   /// From a lane: something was fetched ahead, or could not be.
                   caf::reacts_to<operation_finished>,
                   /// From an observer: its supervisor must look.
                   caf::reacts_to<resource_touched>, caf::reacts_to<observer_standing>,
                   /// From an observer: what nobody waits for any more came after all.
                   caf::reacts_to<stray_seen>,
                   /// To every supervisor.
                   caf::reacts_to<hold_changed>,
                   /// To the resource's supervisor, which answers.
                   caf::replies_to<restart_asked>::with<restart_answered>,
                   /// To every supervisor and every observer.
                   caf::reacts_to<resync_requested>,
                   caf::replies_to<manifest_asked>::with<manifest_told>,
                   caf::reacts_to<stop_requested>>;

using manifest_watcher_actor =
  caf::typed_actor<caf::reacts_to<roll_call>, /// Read the key now.
                   caf::reacts_to<desired_hinted>, caf::reacts_to<connection_changed>,
                   /// From the aggregator: remember it as one to go back to.
                   caf::reacts_to<generation_converged>,
                   /// From the aggregator: go back to the last one that converged.
                   caf::reacts_to<generation_stalled>,
                   /// Own timers: the end of safe mode, and of its reasons.
                   caf::reacts_to<safe_mode_due>, caf::reacts_to<healthy_due>,
                   /// Own timer: read the key although no hint came.
                   caf::reacts_to<timer_due>, caf::reacts_to<stop_requested>>;

/// From root: who hears how generations end.
struct watcher_joined {
  manifest_watcher_actor watcher;
};

using status_aggregator_actor =
  caf::typed_actor<caf::reacts_to<roll_call>, caf::reacts_to<expectation_changed>,
                   caf::reacts_to<resource_reported>, caf::reacts_to<resource_forgotten>,
                   /// A document was not accepted.
                   caf::reacts_to<manifest_refused>,
                   /// The newest document is the accepted one again.
                   caf::reacts_to<manifest_confirmed>, caf::reacts_to<observer_standing>,
                   caf::reacts_to<connection_changed>, caf::reacts_to<watcher_joined>,
                   caf::replies_to<status_asked>::with<status_told>,
                   caf::reacts_to<condition_changed>, caf::reacts_to<safe_mode_entered>,
                   caf::reacts_to<search_ended>,
                   /// Look what stands under the status key.
                   caf::reacts_to<store_doubted>,
                   /// Own timer: the generation in force should be ready by now.
                   caf::reacts_to<progress_due>,
                   /// Own timer: write the status.
                   caf::reacts_to<timer_due>,
                   /// Writes a last time and quits.
                   caf::reacts_to<stop_requested>>;

/// What an operator asks of the device; docs/commands.md.
using command_server_actor =
  caf::typed_actor<caf::reacts_to<roll_call>,
                   /// From the store's thread.
                   caf::reacts_to<command_received>,
                   /// From a lane: a log was read.
                   caf::reacts_to<operation_finished>, caf::reacts_to<stop_requested>>;

/// One plan of a manifest that is not in force; quits when it is answered.
using device_planner_actor = caf::typed_actor<
  /// From a lane: a resource was looked at.
  caf::reacts_to<operation_finished>>;

using heartbeat_actor =
  caf::typed_actor<caf::reacts_to<roll_call>, caf::reacts_to<standing_changed>,
                   /// The connection came: beat now.
                   caf::reacts_to<connection_changed>, caf::reacts_to<interval_changed>,
                   /// Own timer: beat.
                   caf::reacts_to<timer_due>, caf::reacts_to<stop_requested>>;

} // namespace harmony

HARMONY_LOCAL_MESSAGE(run_operation)
HARMONY_LOCAL_MESSAGE(observer_joined)
HARMONY_LOCAL_MESSAGE(watcher_joined)
