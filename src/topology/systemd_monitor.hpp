#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "topology/monitor.hpp"
#include "topology/systemd.hpp"

namespace harmony {

/// Watches units: the service manager's signals for what runs, inotify on the unit folder for the
/// files. A fingerprint of a unit is its state, its job, the links that enable it, and its
/// file's identity, size and time.
class systemd_monitor final : public runtime_monitor {
public:
  /// Both must outlive this; they may be one object.
  systemd_monitor(systemd_port& manager, systemd_events& events);
  ~systemd_monitor() override;
  systemd_monitor(const systemd_monitor&) = delete;
  systemd_monitor& operator=(const systemd_monitor&) = delete;

  void start(on_hint sink) override;
  void stop() override;
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override;

private:
  void run(const on_hint& sink);
  void wake() const;
  void note(const systemd_event& event);
  void watch_folder();
  void read_folder_events();

  systemd_port& manager_;
  systemd_events& events_;
  int wake_ = -1;   ///< eventfd
  int folder_ = -1; ///< inotify
  std::atomic<bool> folder_watched_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  std::stop_source relists_;

  std::mutex mutex_;
  std::vector<std::string> targets_; ///< sorted
  std::vector<std::string> hints_;   ///< to be told; "": all
};

} // namespace harmony
