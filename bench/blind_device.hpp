#pragma once

#include <string>

#include "support/temp_dir.hpp"

namespace harmony::bench {

/// A device that withholds events from the agent, each by a means of the real part, so that only
/// relists can find what happened:
/// - the kernel refuses it inotify (a seccomp filter), as where the limit of instances is reached;
/// - the bus does not deliver systemd's PropertiesChanged (a policy of dbus-daemon);
/// - podman has no events (events_logger = "none").
/// All is put back with this object. For a disposable device only.
class blind_device {
public:
  blind_device();
  ~blind_device();
  blind_device(const blind_device&) = delete;
  blind_device& operator=(const blind_device&) = delete;

  /// A program that becomes `command`, without inotify.
  [[nodiscard]] std::string without_inotify(const std::string& command) const;

private:
  test::temp_dir folder_;
};

/// `agent_bench --no-inotify PROGRAM ARGUMENT…`: becomes PROGRAM, whose inotify_init1 fails with
/// EMFILE. Returns only when that failed, an exit code.
int run_without_inotify(char* const* command);

} // namespace harmony::bench
