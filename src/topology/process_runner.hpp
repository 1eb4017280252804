#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "topology/check_limits.hpp"

namespace harmony {

/// A program to run, and how.
struct process_command {
  /// Program and arguments, as they are; the program is found by the agent's own PATH. No shell.
  std::vector<std::string> arguments;
  std::vector<std::string> environment; ///< "NAME=value": all that it gets
  /// Bytes of output (both streams) that are kept; the rest is read and forgotten.
  std::size_t keep = 65536;
  enum class part { beginning, end } kept = part::end;
  /// Interrupted, the program alone gets this signal first, and has `grace` to end in order.
  int stop_signal = SIGINT;
  std::chrono::milliseconds grace{0}; ///< 0: it is killed at once
  /// Whether processes that it left in its group live on when it ended by itself. An interrupted
  /// one always takes them along.
  bool keep_group = false;
};

/// How a program ended.
struct process_result {
  enum class ending {
    exited,    ///< `number` is its exit status
    signaled,  ///< `number` is the signal
    timed_out, ///< killed at the deadline
    canceled,  ///< killed on request
    lost       ///< ended, and the system does not say how
  };
  ending how = ending::exited;
  int number = 0;
  std::string output;

  [[nodiscard]] bool ok() const noexcept { return how == ending::exited && number == 0; }
};

/// Runs a program to its end in a process group of its own: without input, with default signals,
/// with none of the agent's files. Blocks until it ended or `limits` interrupt it; then the whole
/// group is killed. Thread-safe.
///
/// Fails with invalid_spec (no arguments), permission_denied or io_error where the program cannot
/// be started; the message is the system's words alone, for the caller to begin the sentence.
outcome<process_result> run_process(const process_command& command, const check_limits& limits);

} // namespace harmony
