#pragma once

#include <chrono>
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

/// Makes one check. Blocks until it is answered, for `p.timeout` seconds or until `deadline`,
/// whichever ends first; no answer by then is a failed check. Thread-safe; never throws, never
/// raises SIGPIPE.
///
/// - exec: runs the command (found by PATH, no shell) in a process group of its own, with no input
///   and with PATH, HOME, LANG and TZ as its environment; exit status 0 is success. Whatever is
///   left of the group when the command ends, or its time does, is killed.
/// - tcp: success once a connection stands.
/// - http: GET; a status from 200 to 399 is success, redirects are not followed.
///
/// A host that is a name is looked up by the resolver, which keeps to its own timeouts: prefer
/// addresses.
///
/// An error is the prober's own and says nothing of the resource: the command could not be started
/// (`io_error`, `permission_denied`), no socket or process was to be had (`io_error`), `cancel` was
/// requested (`canceled`).
outcome<probe_result> run_probe(const probe& p, const std::stop_token& cancel,
                                std::chrono::steady_clock::time_point deadline);

} // namespace harmony
