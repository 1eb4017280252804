#pragma once

#include "topology/containers.hpp"
#include "topology/probe_port.hpp"
#include "topology/systemd.hpp"

namespace harmony {

/// The checks of a Linux device. None raises SIGPIPE.
///
/// - exec: runs the command without a shell and without input; exit status 0 is success. Of a
///   Container it runs in that container, with its user and environment. Otherwise on the device:
///   found by PATH, in a process group of its own, with PATH, HOME, LANG and TZ as its environment;
///   whatever is left of the group when the command ends, or its time does, is killed.
/// - tcp: success once a connection stands.
/// - http: GET; a status from 200 to 399 is success, redirects are not followed.
/// - unit: success when the service manager reports that ActiveState.
///
/// A host that is a name is looked up by the resolver, which keeps to its own timeouts: prefer
/// addresses.
class probe_runner final : public probe_port {
public:
  /// What the device has, which outlives this; null: it has none.
  probe_runner(systemd_port* units, container_runtime* containers)
    : units_(units), containers_(containers) {}

  outcome<probe_result> check(const probe& p, const probe_subject& of,
                              const std::stop_token& cancel,
                              std::chrono::steady_clock::time_point deadline) override;
  [[nodiscard]] std::optional<failure> lack(const probe& p) const override;

private:
  systemd_port* units_;
  container_runtime* containers_;
};

} // namespace harmony
