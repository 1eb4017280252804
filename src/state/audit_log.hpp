#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "model/manifest.hpp"
#include "reconcilers/audit.hpp"

namespace harmony {

/// One audit event as a line of JSON, without the newline.
std::string write_audit_line(const audit_event& e, timestamp when);

/// The audit trail as a file of JSON lines, mode 0600, each durable before `append` returns. A file
/// that reached `most_bytes` becomes `<path>.1`, in place of the one before it. Thread-safe.
class audit_log final : public audit_trail {
public:
  static constexpr long most_bytes = 4L << 20;

  /// `echo` is told every line that was written, for the agent's own log; `wall_clock` says when.
  audit_log(std::string path, std::function<timestamp()> wall_clock,
            std::function<void(const std::string& line)> echo);

  /// Fails with disk_full, read_only, permission_denied or io_error.
  outcome<void> append(const audit_event& e) override;

private:
  std::mutex mutex_;
  std::string path_;
  std::function<timestamp()> wall_clock_;
  std::function<void(const std::string& line)> echo_;
};

} // namespace harmony
