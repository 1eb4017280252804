#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "core/crash_loop.hpp"
#include "model/outcome.hpp"
#include "reconcilers/operation_log.hpp"

namespace harmony {

/// What a run of the agent leaves behind however it ends: the manifest it worked on and the
/// operations under way, in a page of memory that is a file (`flight` in the state folder). A
/// process that dies leaves that page to the kernel, so nothing is synced and an entry costs a
/// copy; a power cut is not a crash of the agent and may lose it.
///
/// From what former runs left it keeps the history of crashes (`crashes.json`). Both belong to one
/// boot of the device.
class flight_record final : public operation_log {
public:
  /// Reads what the former run left and begins this one's. `crashed_on`: the newest accepted
  /// manifest, as a run that crashes before it has accepted another had it. Fails with disk_full,
  /// read_only, permission_denied or io_error; then there is no loop breaker.
  static outcome<std::unique_ptr<flight_record>> open(const std::string& folder,
                                                      const crash_loop_policy& policy = {});

  flight_record(const flight_record&) = delete;
  flight_record& operator=(const flight_record&) = delete;
  ~flight_record() override;

  /// Why this run has to hold back; empty: it need not. Only a run after a crash has to.
  [[nodiscard]] const std::string& held_back() const noexcept { return held_back_; }
  [[nodiscard]] const crash_loop_policy& policy() const noexcept { return policy_; }

  /// From now on a crash counts against this manifest.
  void in_force(const accepted_mark& mark);

  /// It did well: its crashes are forgotten.
  void healthy();

  /// The run ends in order.
  void land();

  std::size_t begin(const resource_id& id, bool acting) override;
  void end(std::size_t entry) override;

private:
  struct page;

  flight_record(std::string folder, page* mapped, const crash_loop_policy& policy);

  void take_over();
  void save(const crash_history& h) const;

  const std::string folder_;
  const crash_loop_policy policy_;
  std::mutex mutex_;
  page* page_;
  std::string held_back_;
};

} // namespace harmony
