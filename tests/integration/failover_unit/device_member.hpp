#pragma once

// A member of a failover cluster on a device with the shipped units.

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "integration/service/service_bed.hpp"
#include "support/nats_server.hpp"

namespace harmony::test {

/// What every process of the device has been seen with, from the beginning to the end of this.
class process_watch {
public:
  explicit process_watch(std::string word);
  ~process_watch();
  process_watch(const process_watch&) = delete;
  process_watch& operator=(const process_watch&) = delete;

  /// Command lines that had the word, which anybody can read; each once.
  [[nodiscard]] std::vector<std::string> shown() const;
  /// The control group in which PostgreSQL's programs beside the server ran, by their names.
  [[nodiscard]] std::map<std::string, std::string> programs() const;

private:
  void look();

  const std::string word_;
  mutable std::mutex mutex_;
  std::vector<std::string> shown_;
  std::map<std::string, std::string> programs_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

/// The installed agent as the member 'device' of the cluster 'main', its guard as a unit and
/// PostgreSQL; all of it gone with this object.
class device_member {
public:
  explicit device_member(const nats_server& server, std::string profile = "fast");
  ~device_member();
  device_member(const device_member&) = delete;
  device_member& operator=(const device_member&) = delete;

  /// Its resource, in a cluster with `others` (JSON of members, each with a comma before it).
  [[nodiscard]] std::string resource(bool bootstrap = true, const std::string& others = {}) const;
  /// Starts the agent with that resource, and waits until it is Ready.
  void start(bool bootstrap = true, const std::string& others = {});
  void await_ready();

  [[nodiscard]] std::optional<std::string> ask(const std::string& sql) const;
  /// Waits until it takes writes.
  [[nodiscard]] bool writable(std::chrono::seconds limit = std::chrono::seconds{30}) const;
  /// The first line of postmaster.pid; 0: there is none.
  [[nodiscard]] static pid_t postmaster();
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] agent_process& remote() { return agent_.remote(); }
  /// A property of the guard's unit.
  [[nodiscard]] static std::string guard(const std::string& property);
  /// What the device's journal and PostgreSQL's log say, for a failure.
  [[nodiscard]] static std::string story();

  static const std::string unit;
  static const std::string conf;
  static const std::string data;
  static const std::string password;

private:
  int port_;
  std::string profile_;
  installed_agent agent_;
};

/// harmonyctl on that store: what it printed, and the word "failed" where it did.
std::string ctl(const nats_server& server, const std::string& words);

} // namespace harmony::test
