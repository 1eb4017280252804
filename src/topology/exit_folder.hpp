#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "topology/files.hpp"

namespace harmony {

/// Tells of containers whose process ended, by the file that conmon writes for each of them in
/// podman's folder of exits at that moment. podman's own event comes when it has cleaned up, a
/// tenth of a second later or more. Where there is no such folder, it says nothing.
class exit_folder {
public:
  /// The whole id of a container, or any other name of a file there. Called from a thread of this
  /// object's; must not block.
  using on_exit = std::function<void(const std::string& id)>;

  exit_folder(std::filesystem::path folder, on_exit sink);
  ~exit_folder();
  exit_folder(const exit_folder&) = delete;
  exit_folder& operator=(const exit_folder&) = delete;

  /// Watches the folder also where it came, or was replaced, since the last call.
  void refresh();

private:
  void run();
  void read_events();

  const std::filesystem::path folder_;
  const on_exit sink_;
  const open_fd inotify_;
  const open_fd wake_; ///< eventfd
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// The folder of exits of the podman that listens at `socket`: the system's
/// (/run/podman/podman.sock) or a user's ($XDG_RUNTIME_DIR/podman/podman.sock).
std::filesystem::path exit_folder_of(const std::filesystem::path& socket);

} // namespace harmony
