#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reconcilers/audit.hpp"

namespace harmony {

/// How much an audit log keeps.
struct audit_limits {
  std::size_t most_bytes = std::size_t{2} << 20; ///< of a file; then it is set aside as "<path>.1"
  unsigned files = 4;                            ///< with the one that is written
  std::size_t most_waiting = 1024;               ///< events in memory
  std::chrono::milliseconds first_retry{1000};   ///< of a write that failed; it doubles to
  std::chrono::milliseconds longest_retry{30'000};
};

/// What an audit log asks of its surroundings.
struct audit_surroundings {
  std::function<timestamp()> wall_clock;
  std::function<std::uint64_t()> uptime;             ///< milliseconds since the device booted
  std::function<void(const std::string& line)> echo; ///< told each line once it is durable
};

/// The audit trail as a chain of JSON lines in a file of mode 0600. One thread, begun with the
/// first event, writes what has come since its last write as one, durably; so no caller of `note`
/// ever waits for the disk, and a disk that hangs holds that thread alone.
///
///   note ─> waiting ─> (the thread) written and durable ─> echoed
///              │  └── write failed: waits, and is tried again
///              └──── no room: counted; an "audit-gap" record tells of it as soon as one is written
///
/// Invariants: nothing in the file is ever changed or taken away, but a write that failed half-way;
/// each record stands on the last one in the file, or in the file before it. A last line that a
/// power loss tore is left, and the next record says what it was.
class audit_log final : public audit_trail {
public:
  audit_log(const std::string& path, audit_surroundings around, audit_limits limits = {});
  audit_log(const audit_log&) = delete;
  audit_log& operator=(const audit_log&) = delete;

  /// Waits up to a second until what waits is written.
  ~audit_log() override;

  void note(audit_event e) override;
  outcome<void> append(const audit_event& e) override;
  void watch_health(const std::function<void(const audit_health&)>& sink) override;

private:
  class writer;
  std::shared_ptr<writer> writer_;
};

/// The files of the log at `path` that are there, oldest first, as they were at one moment; each
/// its name and content. Fails with not_found where there is none, and as reading does.
struct audit_file {
  std::string name;
  std::string content;
};
outcome<std::vector<audit_file>> read_audit_files(const std::string& path);

/// Milliseconds since this device booted, with those that it slept.
std::uint64_t uptime_now();

} // namespace harmony
