#pragma once

#include <memory>

#include "topology/monitor.hpp"

namespace harmony {

/// What lstat says of `path`: device, inode, size, times, mode and owner. Empty: nothing is there.
std::string fingerprint_of(const std::string& path);

/// Watches paths with inotify: one watch for each distinct folder of a target, one thread, which
/// sleeps until the kernel or `watch` wakes it.
///
/// - A target is hinted when its name appears, goes, is written and closed, or gets other
///   attributes; other names in the folder are ignored. Writes of a file that its writer keeps open
///   come with the close, or with the relist.
/// - A folder that is not there is awaited at the nearest one above it that is; all of its targets
///   are hinted when it comes and when it goes.
/// - Lost events (the kernel's queue ran over) and new targets give the hint "".
/// - `streaming` is false when inotify refuses a watch, e.g. at fs.inotify.max_user_watches.
///
/// The fingerprint of a target is `fingerprint_of` its path.
class inotify_files_monitor final : public runtime_monitor {
public:
  inotify_files_monitor();
  ~inotify_files_monitor() override;

  void start(on_hint sink) override;
  void stop() override;
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override;

private:
  class implementation;
  std::unique_ptr<implementation> impl_;
};

} // namespace harmony
