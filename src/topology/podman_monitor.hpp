#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "topology/containers.hpp"
#include "topology/exit_folder.hpp"
#include "topology/monitor.hpp"

namespace harmony {

/// The event source of containers: podman's event stream as hints, one list call as the truth.
///
///     idle --watch(some)--> connecting --header--> streaming
///      ^                      |    ^                   |
///      '----- (none) ---------'    '---- (backoff) ----'  stream broke
///
/// The stream is up only while a container is watched: it keeps podman's service in memory, which a
/// device without containers does not pay for. Each time that it comes up, an empty hint asks for
/// a relist, for what happened before.
///
/// The end of a container's process is told sooner by podman's folder of exits, where that is.
class podman_monitor final : public runtime_monitor {
public:
  struct options {
    std::chrono::milliseconds first_retry{200}; ///< doubles with each failure
    std::chrono::milliseconds longest_retry{30'000};
    std::chrono::milliseconds settled{10'000}; ///< a stream this old resets the delay
    std::filesystem::path exits{};             ///< podman's folder of exits; empty: none
  };

  /// `runtime` outlives the monitor. Watches the containers of agent `agent`.
  podman_monitor(container_runtime& runtime, const std::string& agent, options settings);
  podman_monitor(container_runtime& runtime, const std::string& agent)
    : podman_monitor(runtime, agent, options{}) {}
  podman_monitor(const podman_monitor&) = delete;
  podman_monitor& operator=(const podman_monitor&) = delete;
  ~podman_monitor() override { podman_monitor::stop(); }

  void start(on_hint sink) override;
  void stop() override;
  void watch(std::vector<std::string> targets) override;
  outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool streaming() const override { return streaming_; }

private:
  enum class ending { let_go, broke, unreachable };

  void run();
  ending stream_once();
  bool watched(const std::string& name) const;
  void note_id(const container_event& event);
  void on_exit(const std::string& id);

  container_runtime& runtime_;
  std::string label_;
  options settings_;
  on_hint sink_;
  std::stop_source stop_;
  std::atomic<bool> streaming_ = false;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> targets_;            ///< guarded by mutex_
  std::map<std::string, std::string> names_; ///< guarded by mutex_: id -> name, of watched ones
  std::unique_ptr<exit_folder> exits_;       ///< from start to stop
  std::stop_source current_;                 ///< guarded by mutex_: ends the stream that is up
  bool reachable_ = false; ///< guarded by mutex_: podman answered, so do not wait longer
  std::thread thread_;
};

} // namespace harmony
