#pragma once

#include <string>
#include <vector>

#include "core/lifecycle.hpp"

namespace harmony::test {

/// "Ready", "Failed", …
std::string text(resource_phase p);

/// One effect for a person: "observe#1", "apply#2(create content)", "cancel#1", "arm+4s".
std::string text(const lifecycle_effect& e, instant now);

/// A lifecycle machine with a clock of its own. `on` returns the phase after the event and the
/// effects, `publish` left out: "Failed: arm+1s". Jitter is neutral, so delays are exact.
class rig {
public:
  rig() { context.now = instant{std::chrono::hours{1}}; }

  std::string on(const lifecycle_event& e);

  rig& wait(duration d) {
    context.now += d;
    return *this;
  }

  /// Waits for the armed timer and sends it. Precondition: one is armed.
  std::string fire();

  /// How long until the armed timer fires.
  [[nodiscard]] duration armed() const { return *state.next_retry - context.now; }

  // Answers to the operation in flight.
  std::string equal() { return on(ev::observed{state.operation, {}, {}}); }
  std::string differs(std::string field = "content") {
    return on(ev::observed{state.operation, {{action::update, std::move(field), "", ""}}, {}});
  }
  std::string conflict() {
    return on(ev::observed{state.operation, {}, failure{ec::name_conflict, "in the way"}});
  }
  std::string unseen(ec code = ec::runtime_unavailable) {
    return on(ev::observe_failed{state.operation, {code, "no answer"}});
  }
  std::string applied() { return on(ev::applied{state.operation}); }
  std::string apply_failed(ec code = ec::disk_full) {
    return on(ev::apply_failed{state.operation, {code, "no space"}});
  }

  lifecycle state;
  lifecycle_context context;
  std::vector<lifecycle_effect> effects; ///< of the last step
};

/// A desire whose dependencies are ready, unless `waiting_for` names one.
ev::desired want(const std::string& desire, const std::string& probes = {},
                 const std::string& waiting_for = {});

ev::dependencies needs(const std::string& waiting_for);

/// A machine that is ready at desire "a"; with probes if `probes` is set.
rig ready_rig(const std::string& probes = {});

} // namespace harmony::test
