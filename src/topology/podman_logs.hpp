#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topology/logs.hpp"

namespace harmony::podman {

/// Reads the log of a container as it comes: frames of a stream, lines with their times. Pure; any
/// bytes are taken.
///
/// A cursor is the time of a line and how many lines of that time were read: podman can give the
/// log from a time on, that time included.
class log_reader {
public:
  explicit log_reader(const std::string& cursor);

  /// The time to ask podman for; empty: from the end.
  [[nodiscard]] const std::string& since() const noexcept { return since_; }

  /// Takes bytes of the answer. False when the answer is as long as it may be.
  bool take(std::string_view bytes);

  [[nodiscard]] bool empty() const noexcept { return result_.lines.empty(); }
  [[nodiscard]] logs_result result() &&;

private:
  void take_line(std::string_view line);

  std::string frames_; ///< bytes of a frame that is not whole yet
  std::string since_;
  std::uint64_t to_skip_ = 0; ///< lines of the time `since_` that were read before
  std::string at_;            ///< time of the newest line
  std::uint64_t count_ = 0;   ///< lines of it so far
  std::size_t bytes_ = 0;
  logs_result result_;
};

} // namespace harmony::podman
