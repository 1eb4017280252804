#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "actors/actors.hpp"
#include "actors/store_retries.hpp"
#include "core/admission.hpp"
#include "core/alarm.hpp"
#include "core/freshness.hpp"
#include "reconcilers/audit.hpp"
#include "state/flight_record.hpp"
#include "state/state_store.hpp"
#include "transport/store.hpp"

namespace harmony {

/// Follows one desired-state key: reads it on each hint, on each connection and now and then, and
/// admits what it finds. The accepted document is on disk before anybody acts on it, with its
/// envelope, and is verified again whenever it is read back.
struct manifest_watcher_config {
  admission_terms terms;
  store* desired = nullptr;        ///< outlives the actor
  state_store* state = nullptr;    ///< outlives the actor
  flight_record* flight = nullptr; ///< null: no loop breaker; outlives the actor
  audit_trail* audit = nullptr;    ///< null: none; outlives the actor
  dispatcher_actor dispatcher;
  status_aggregator_actor aggregator;
  std::function<timestamp()> wall_clock;
  duration poll_interval = std::chrono::seconds{60}; ///< jittered by a quarter
  store_retries retries;
  /// When a hint told of a change and a read shows none: a replica that lags answered it.
  backoff_policy reread{std::chrono::milliseconds{250}, std::chrono::seconds{4}};
  std::uint32_t rereads = 5;
  /// Nearly half of it, which one attempt has, is more than two slow seconds each way.
  std::chrono::milliseconds get_timeout{10'000};
  std::uint64_t seed = 0;
};

struct manifest_watcher_state {
  manifest_watcher_state() = default;

  static inline const char* name = "manifest_watcher";
  manifest_watcher_config config;
  std::optional<accepted_mark> accepted;
  /// Of the document last judged. Both, because a bucket that is made anew counts from 1 again.
  std::optional<std::pair<std::uint64_t, std::chrono::system_clock::time_point>> judged;
  bool distrusted = false; ///< what was accepted before is not put in force: see admit_again
  std::optional<manifest_metadata> in_force;
  std::optional<condition> stale;     ///< last told
  std::optional<failure> refused;     ///< last told
  std::optional<failure> rolled_back; ///< why the accepted one is not in force
  std::uint32_t failures = 0;         ///< reads in a row
  std::uint32_t unseen = 0; ///< number of the next read for a change that a hint told of; 0: none
  std::optional<std::string> unsaved; ///< the accepted document, while it cannot be kept
  bool held_back = false;             ///< safe mode: the accepted one is not in force
  alarm health;
  bool connected = false;
  alarm next_read;
  std::minstd_rand random;
};

manifest_watcher_actor::behavior_type
manifest_watcher(manifest_watcher_actor::stateful_pointer<manifest_watcher_state> self,
                 manifest_watcher_config config);

} // namespace harmony
