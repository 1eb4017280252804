#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "model/outcome.hpp"
#include "model/specs.hpp"

namespace harmony {

/// What a check said of the resource.
struct probe_result {
  bool ok = false;
  std::string message; ///< why it failed, for a person; at most about 300 bytes

  friend bool operator==(const probe_result&, const probe_result&) = default;
};

/// The resource that a check is made of.
struct probe_subject {
  std::string kind;   ///< e.g. "Container"
  std::string target; ///< the runtime's own name of it: container, unit, path
};

/// How a device makes the checks of probes. Thread-safe.
class probe_port {
public:
  virtual ~probe_port() = default;

  /// Makes one check. Blocks until it is answered, for `p.timeout` seconds or until `deadline`,
  /// whichever ends first; a resource that did not answer by then failed it. Never throws.
  ///
  /// An error is the prober's own and says nothing of the resource: the command could not be
  /// started, a runtime does not answer, `cancel` was requested (`canceled`).
  virtual outcome<probe_result> check(const probe& p, const probe_subject& of,
                                      const std::stop_token& cancel,
                                      std::chrono::steady_clock::time_point deadline) = 0;

  /// Why this device can never make such a check (`capability_missing`); nothing: it can.
  [[nodiscard]] virtual std::optional<failure> lack(const probe& p) const = 0;
};

} // namespace harmony
