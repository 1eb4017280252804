#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "topology/accounts.hpp"
#include "topology/files_monitor.hpp"
#include "topology/packages.hpp"
#include "topology/timed_listing.hpp"

namespace harmony {

/// Watches a runtime whose whole state lies in a few files, such as dpkg's `status` or /etc/passwd.
/// A change of a file does not say of what, so each is the hint "": a relist, which is one read of
/// the files however many targets there are.
class database_monitor final : public runtime_monitor {
public:
  /// Reads the facts of `targets`, in any order. Runs on a thread that may outlive the monitor, so
  /// it holds what it needs.
  using reader =
    std::function<outcome<std::vector<runtime_fact>>(const std::vector<std::string>& targets)>;

  /// `what` the files are, for messages: "the packages".
  database_monitor(std::string what, std::vector<std::string> files, reader read);
  ~database_monitor() override;

  void start(on_hint sink) override;
  void stop() override;
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override;

private:
  const std::vector<std::string> files_;
  const reader read_;
  timed_listing listing_;
  inotify_files_monitor events_;
  std::mutex mutex_;
  std::vector<std::string> targets_;
};

/// Watches dpkg's records in `folder`. A fact's fingerprint is version and status.
std::shared_ptr<runtime_monitor> watch_packages(std::shared_ptr<package_manager> packages,
                                                const std::string& folder = "/var/lib/dpkg");

/// Watches /etc/passwd and /etc/group. A fact's fingerprint is all that is known of the account.
std::shared_ptr<runtime_monitor> watch_accounts(std::shared_ptr<account_manager> accounts);

} // namespace harmony
