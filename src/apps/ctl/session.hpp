#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/ctl/environment.hpp"
#include "apps/ctl/options.hpp"
#include "apps/ctl/sealed.hpp"
#include "model/manifest.hpp"
#include "model/status.hpp"

namespace harmony::ctl {

/// The time that a command may take, shared by all its calls.
class budget {
public:
  explicit budget(milliseconds total) : end_(std::chrono::steady_clock::now() + total) {}

  [[nodiscard]] milliseconds left() const {
    const auto rest = end_ - std::chrono::steady_clock::now();
    return std::max(std::chrono::duration_cast<milliseconds>(rest), milliseconds{0});
  }
  [[nodiscard]] std::chrono::steady_clock::time_point end() const { return end_; }

private:
  std::chrono::steady_clock::time_point end_;
};

/// A level that threads raise and one thread waits for; raising twice is one event.
class signal {
public:
  void raise() {
    const std::lock_guard lock{mutex_};
    raised_ = true;
    changed_.notify_all();
  }

  /// Waits until raised, and lowers it; false when `end` came first.
  bool wait_until(std::chrono::steady_clock::time_point end) {
    std::unique_lock lock{mutex_};
    const bool came = changed_.wait_until(lock, end, [this] { return raised_; });
    raised_ = false;
    return came;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

/// How the command line says that the store is reached.
store_options store_options_of(const global_options& options);

/// Opens the store and waits until it is connected; fails with store_unavailable and the store's
/// own words when it is not in time.
outcome<std::shared_ptr<store>> connect(const global_options& options, environment& env,
                                        const budget& time);

/// A manifest as it lies in the store.
struct stored_manifest {
  manifest value;
  sealed_document document; ///< what it was read from
  std::uint64_t revision = 0;
  std::chrono::system_clock::time_point written;
};

struct seen_heartbeat {
  heartbeat value;
  std::chrono::system_clock::time_point at;
};

/// Everything that the store knows about one agent.
struct agent_record {
  std::string agent;
  std::optional<stored_manifest> desired;
  std::string desired_fault; ///< why there is no `desired` although the key is there
  std::optional<agent_status> status;
  std::string status_fault;
  std::chrono::system_clock::time_point status_written;
  std::optional<seen_heartbeat> beat;

  /// Whether the store knows anything about it.
  [[nodiscard]] bool known() const {
    return desired || status || beat || !desired_fault.empty() || !status_fault.empty();
  }
};

/// A heartbeat older than this means that the agent is offline: three of the default intervals.
inline constexpr std::chrono::seconds offline_after{30};

/// The manifest of `agent` in the store; nothing when there is none. Fails with invalid_document
/// for one that cannot be read.
outcome<std::optional<stored_manifest>> read_desired(store& from, std::string_view agent,
                                                     milliseconds timeout);

/// Reads all about `agent`; without the heartbeat if not `with_beat`.
outcome<agent_record> read_agent(store& from, const std::string& agent, const budget& time,
                                 bool with_beat = true);

/// All agents that have a manifest or a status, sorted.
outcome<std::vector<std::string>> agent_ids(store& from, const budget& time);

/// The phase as observers see it: the agent's own, or "Offline" when its heartbeat is old or there
/// is none.
std::string phase_of(const agent_record& record, std::chrono::system_clock::time_point now);

} // namespace harmony::ctl
