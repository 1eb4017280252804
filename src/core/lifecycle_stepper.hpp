#pragma once

// The lifecycle machine at work; for lifecycle.cpp and lifecycle_steps.cpp alone.

#include <string>
#include <utility>
#include <vector>

#include "core/lifecycle.hpp"

namespace harmony {

/// One step's working state: the machine's value and the effects so far.
class stepper {
public:
  stepper(lifecycle& state, const lifecycle_context& context) : s_(state), c_(context) {}

  std::vector<lifecycle_effect> take_effects() { return std::move(effects_); }

  void operator()(const ev::desired& e);
  void operator()(const ev::dependencies& e);
  void operator()(const ev::rejected& e);
  void operator()(const ev::remove&);
  void operator()(const ev::observed& e);
  void operator()(const ev::observe_failed& e);
  void operator()(const ev::applied& e);
  void operator()(const ev::apply_failed& e);
  void operator()(const ev::removed& e);
  void operator()(const ev::remove_failed& e);
  void operator()(const ev::hint&);
  void operator()(const ev::timer& e);
  void operator()(const ev::probed& e);
  void operator()(const ev::restart& e);
  void operator()(const ev::held& e);

private:
  [[nodiscard]] bool leaving() const;
  [[nodiscard]] bool is_in_place() const;
  [[nodiscard]] bool is_held() const { return s_.held_until && c_.now < *s_.held_until; }
  void enter(resource_phase to, std::string reason = {}, std::string message = {});

  /// Whether this answer belongs to the operation in flight and to the present desire. Ends the
  /// operation; of a superseded one only the end matters.
  bool ends(operation_kind kind, std::uint64_t operation);

  /// Cancels the operation in flight; what follows waits for its answer. False when there is none.
  bool interrupt();

  /// A new desire starts with a clean record.
  void forget_history();

  /// Does the next thing, now that no operation is in flight.
  void proceed();

  /// Dependencies count until the desire was once in place.
  [[nodiscard]] bool must_wait() const { return !s_.dependencies_ready && !s_.settled; }

  void block();
  void start(operation_kind kind);
  void start_look();
  void start_apply(std::vector<change> changes);
  void apply_when_due(std::vector<change> changes);

  /// Waits for the end of the hold, and says so where no failure is to be told.
  void wait_for_release();

  /// The look found it equal to its desire.
  void in_place();
  void probe_or_be_ready();
  void become_ready();

  /// The look found differences.
  void differs(const ev::observed& e);

  /// It is in place no more. The first repair is immediate; those soon after it back off; after
  /// long health the backoff starts over.
  void lose();
  void drift(std::string reason, std::string message);

  /// It could not be put in place, or seen there. After an apply, or the look at what it did, there
  /// is no other apply before the retry; after any other failure a hint may lead to one sooner.
  void fail(const failure& why);

  /// What ends again and again has a name that operators know.
  void call_crash_loop();
  void arm(instant at);
  void disarm();
  void start_probes();
  void stop_probes();

  /// The probes of a settled resource were changed: nothing on the device is touched.
  void probe_anew();

  lifecycle& s_;
  const lifecycle_context& c_;
  std::vector<lifecycle_effect> effects_;
};

} // namespace harmony
