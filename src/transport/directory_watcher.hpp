#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "transport/store.hpp"

namespace harmony::directory {

/// Watches folders below one root with inotify, on one thread for all subscriptions, which starts
/// with the first and sleeps until something happens.
///
/// A folder that is not there yet, or goes and comes back, is watched again as soon as it appears:
/// meanwhile its nearest existing ancestor is. Each time, and where the kernel dropped events,
/// every subscription of that folder gets the hint "any key". Only when the kernel refuses a watch
/// (no permission, or fs.inotify.max_user_watches reached) does the thread look again every two
/// seconds.
class watcher {
public:
  explicit watcher(std::filesystem::path root);
  ~watcher();
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  /// Calls `sink` with the name of each file that was replaced in or deleted from folder `folder`
  /// of the root and, unless `key` is empty, is named `key`. Names that begin with a dot are not
  /// reported.
  outcome<std::unique_ptr<subscription>> watch(std::string folder, std::string key,
                                               store::on_change sink);

  /// Ends the thread. Idempotent. Subscriptions stay valid and silent.
  void stop();

private:
  class core;
  std::shared_ptr<core> core_;
};

} // namespace harmony::directory
