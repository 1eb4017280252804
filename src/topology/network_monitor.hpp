#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "topology/files.hpp"
#include "topology/monitor.hpp"
#include "topology/network.hpp"

namespace harmony {

/// Watches links: the kernel's own announcements of links, addresses and routes (rtnetlink
/// groups), on one thread that sleeps in between.
///
/// - A target is hinted when anything of its link, its addresses or the routes over it changes;
///   a bridge also when a member joins or leaves.
/// - A link that comes hints at every target: it may be what they wait for.
/// - Announcements that were lost (the socket's buffer ran over) give the hint "" too.
///
/// The fingerprint of a target is all that a snapshot says of it, and of its members.
class network_monitor final : public runtime_monitor {
public:
  /// `network` must outlive this.
  explicit network_monitor(network_port& network);
  ~network_monitor() override;
  network_monitor(const network_monitor&) = delete;
  network_monitor& operator=(const network_monitor&) = delete;

  void start(on_hint sink) override;
  void stop() override;
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override;

private:
  void run(const on_hint& sink);
  void tell(const on_hint& sink, const std::set<std::string>& touched);

  network_port& network_;
  open_fd wake_;
  std::atomic<bool> streaming_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  std::mutex mutex_;
  std::vector<std::string> targets_; ///< sorted
};

} // namespace harmony
